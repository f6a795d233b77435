"""Command bursts of one channel for one instruction.

A block starts and ends with every bank closed. Rows are relative to the instruction's base row. ``operand`` says what
moves: for WR_GB the first column of what is sent, for MAC_AB and RD_MAC the (first) output group, for RD and WR the
column of the vector that is read or written; -1 where nothing moves. ``vectors``: how many a MAC multiplies with each column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX

IntArray = NDArray[np.int64]
FIELDS = ("command", "group", "bank", "count", "cause", "row", "column", "operand", "vectors")
TIMING_FIELDS = FIELDS[:5]


@dataclass(frozen=True, eq=False)
class Block:
    """Bursts as int64 columns: ``count`` repetitions of ``command`` at consecutive columns.

    ``group`` is the bank group and ``bank`` the flat bank that a burst addresses, -1 where it addresses more.
    """

    command: IntArray
    group: IntArray
    bank: IntArray
    count: IntArray
    cause: IntArray
    row: IntArray
    column: IntArray
    operand: IntArray
    vectors: IntArray

    @property
    def bursts(self) -> int:
        """Number of bursts."""
        return len(self.command)

    @cached_property
    def shared_columns(self) -> int:
        """Columns that MACs multiply with vectors beyond the first: column reads saved by vectors that share one."""
        return int((self.count * (self.vectors - 1)).sum())

    def counts(self, kinds: int) -> IntArray:
        """Commands of each kind, by code; shape (kinds,)."""
        return np.bincount(self.command, weights=self.count, minlength=kinds).astype(np.int64)


class MovedBlock(Block):
    """A block with the commands of ``like``, ``rows`` rows further on, and what bursts of the commands ``of`` move ``operands`` further on.

    Its addresses are worked out when somebody asks for them; timing never does.
    """

    like: Block
    _rows: int
    _operands: int
    _of: tuple[int, ...]

    def __init__(self, like: Block, rows: int = 0, operands: int = 0, of: tuple[int, ...] = ()) -> None:
        self.__dict__.update(like=like, _rows=rows, _operands=operands, _of=of)

    def __getattr__(self, name: str) -> IntArray:
        if name not in FIELDS:
            raise AttributeError(name)
        value: IntArray = getattr(self.like, name)
        if name == "row" and self._rows:
            value = np.where(value >= 0, value + self._rows, value)
        elif name == "operand" and self._operands:
            value = np.where(np.isin(self.like.command, self._of), value + self._operands, value)
        self.__dict__[name] = value
        return value

    def further(self, operands: int) -> MovedBlock:
        """The same, with what moves ``operands`` further on."""
        return MovedBlock(self.like, self._rows, self._operands + operands, self._of)

    @property
    def bursts(self) -> int:
        """Number of bursts."""
        return self.like.bursts

    @property
    def shared_columns(self) -> int:  # type: ignore[override]
        """As of the block that it is like."""
        return self.like.shared_columns


@dataclass
class BlockBuilder:
    """Collects bursts in issue order; inserts mode switches where the standard needs them."""

    device: Device
    rows: list[tuple[int, ...]] = field(default_factory=list)
    register_mode: bool = False

    def add(
        self, name: str, bank: int = -1, count: int = 1, row: int = -1, column: int = -1, operand: int = -1, group: int = -1,
        cause: str = "", vectors: int = 1,
    ) -> None:  # fmt: skip
        """Append ``count`` repetitions of command ``name``."""
        code = self.device.table.code[name]
        command = self.device.standard.commands[code]
        if self.device.standard.mode_switch and command.register != self.register_mode:
            self._switch_mode()
        if bank >= 0:
            group = bank // self.device.spec.dram.banks_per_group
        self.rows.append((code, group, bank, count, CAUSE_INDEX[cause or command.cause], row, column, operand, vectors))

    def activate_all(self, row: int) -> None:
        """Open ``row`` in every bank, a group of banks at a time if the device does so."""
        groups = self.device.activation_groups
        for group in range(groups):
            self.add("ACT_AB", row=row, group=group if groups > 1 else -1)

    def finish(self) -> Block:
        """The block of what was added; array mode is restored at the end."""
        if self.register_mode:
            self._switch_mode()
        return Block(*np.array(self.rows, np.int64).reshape(-1, len(FIELDS)).T.copy())

    def _switch_mode(self) -> None:
        self.register_mode = not self.register_mode
        switch = self.device.table.code[self.device.standard.mode_switch]
        self.rows.append((switch, -1, -1, 1, CAUSE_INDEX["turnaround"], -1, -1, -1, 1))
