"""What a DRAM command is: whom it addresses, what it does to rows, what its bus cycles are spent on."""

from __future__ import annotations

from dataclasses import dataclass

CHANNEL, BANK_GROUP, BANK = "channel", "bank_group", "bank"
PSEUDO_CHANNEL, RANK, STACK_ID, SAME_BANK = "pseudo_channel", "rank", "sid", "same_bank"

# Scopes that commands and rules may have, from wide to narrow. ``same_bank`` is one bank number in every bank group.
SCOPES = (CHANNEL, PSEUDO_CHANNEL, RANK, STACK_ID, BANK_GROUP, SAME_BANK, BANK)
# Levels between the channel and the bank group, of which a standard may have some.
OUTER_LEVELS = (PSEUDO_CHANNEL, RANK, STACK_ID)
# Scopes that are left where a channel is a single pseudo channel, rank and stack: what programs run on.
PROGRAM_SCOPES = (CHANNEL, BANK_GROUP, BANK)

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

    ``scope``: ``bank`` (one bank), ``bank_group`` (every bank of a group), ``channel`` (every bank), or another of SCOPES.
    ``row``: ``open`` (activates), ``close`` (precharges), ``column`` (needs the row open), ``column_close`` (a column
    access that precharges afterwards), ``refresh`` (needs banks closed, refreshes them), ``closed`` (needs banks closed
    only), ``none`` (touches registers only). Where an activation takes two commands: ``open_first``, ``open_second``.
    ``bus``: ``read`` or ``write`` if data crosses the channel's pins, else ``none``.
    ``latency``: gap expression from issue until the data are at the receiver or the write has been accepted.
    ``cause``: where its bus cycles are booked unless a rule says otherwise.
    ``command_bus``: name of the command bus that it takes, for ``held_ck`` CK.
    """

    name: str
    scope: str
    row: str = "none"
    bus: str = "none"
    latency: str = "1"
    cause: str = "row_switch"
    register: bool = False
    command_bus: str = "command"
    held_ck: float = 1.0

    @property
    def is_column(self) -> bool:
        """True if the command accesses a column of an open row."""
        return self.row in ("column", "column_close")
