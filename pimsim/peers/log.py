"""What a peer's run is: commands as they leave the controller of one channel, and the clock at which the operation is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple


class Issued(NamedTuple):
    """A command at ``clock`` (CK). Places are -1 where a command has none; ``mode`` is '' where a device has no modes."""

    clock: int
    command: str
    bank: int
    row: int
    column: int
    mode: str = ""
    pseudo_channel: int = -1
    rank: int = -1
    bank_group: int = -1


@dataclass(frozen=True)
class PeerRun:
    """Cycles (CK) of an operation and the commands of channel 0, in order."""

    device: str
    operation: str
    cycles: int
    t_ck_ps: int
    commands: tuple[Issued, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Commands of each kind; on a device with modes of each kind and mode, as ``RD@HAB_PIM``."""
        kinds = Counter(f"{c.command}@{c.mode}" if c.mode else c.command for c in self.commands)
        return dict(sorted(kinds.items()))
