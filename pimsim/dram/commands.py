"""What a DRAM command is: whom it addresses, what it does to rows, what its bus cycles are spent on."""

from __future__ import annotations

from dataclasses import dataclass

CHANNEL, BANK_GROUP, BANK = "channel", "bank_group", "bank"
SCOPES = (CHANNEL, BANK_GROUP, BANK)

CAUSES = (
    "mac",
    "row_switch",
    "broadcast",
    "readout",
    "kv_write",
    "turnaround",
    "refresh",
    "wait_asic",
    "wait_link",
    "idle",
)
CAUSE_INDEX = {name: index for index, name in enumerate(CAUSES)}


@dataclass(frozen=True)
class Command:
    """One command of a standard.

    ``scope``: ``bank`` (one bank), ``bank_group`` (every bank of a group) or ``channel`` (every bank).
    ``row``: ``open`` (activates), ``close`` (precharges), ``column`` (needs the row open), ``column_close`` (a column
    access that precharges afterwards), ``refresh`` (needs banks closed), ``none`` (touches registers only).
    ``bus``: ``read`` or ``write`` if data crosses the channel's pins, else ``none``.
    ``latency``: gap expression from issue until the data are at the receiver or the write has been accepted.
    ``cause``: where its bus cycles are booked unless a rule says otherwise.
    """

    name: str
    scope: str
    row: str = "none"
    bus: str = "none"
    latency: str = "1"
    cause: str = "row_switch"
    register: bool = False

    @property
    def is_column(self) -> bool:
        """True if the command accesses a column of an open row."""
        return self.row in ("column", "column_close")
