"""Shape of a DRAM device: channels, what stands between them and bank groups, banks, rows, columns."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class DramOrganization:
    """Counts and sizes of one device. A *column* here is one column access: ``column_bytes`` on the internal bus.

    ``outer``: names and counts of the levels between channel and bank group (pseudo channel, rank, stack ID), from wide to
    narrow; the innermost of them is called a *unit*, and numbered through its channel. ``bank_groups`` are those of a unit.
    Banks are numbered flat inside a channel: ``bank = (unit * bank_groups + bank_group) * banks_per_group + bank_in_group``.
    """

    channels: int
    bank_groups: int
    banks_per_group: int
    rows: int
    row_bytes: int
    column_bytes: int
    outer: tuple[tuple[str, int], ...] = ()

    @property
    def units(self) -> int:
        """Units of one channel: 1 where nothing stands between channel and bank group."""
        return prod(count for _, count in self.outer)

    @property
    def banks_per_unit(self) -> int:
        """Banks of one unit."""
        return self.bank_groups * self.banks_per_group

    @property
    def banks(self) -> int:
        """Banks of one channel."""
        return self.units * self.banks_per_unit

    @property
    def columns(self) -> int:
        """Column accesses that one row holds."""
        return self.row_bytes // self.column_bytes

    @property
    def bank_bytes(self) -> int:
        """Capacity of one bank in bytes."""
        return self.rows * self.row_bytes

    @property
    def channel_bytes(self) -> int:
        """Capacity of one channel in bytes."""
        return self.banks * self.bank_bytes

    @property
    def capacity_bytes(self) -> int:
        """Capacity of the whole device in bytes."""
        return self.channels * self.channel_bytes

    def bank_group_of(self, bank: int) -> int:
        """Bank group of a flat bank number, numbered through the channel."""
        return bank // self.banks_per_group
