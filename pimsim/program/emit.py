"""The bursts of a walk over a matrix, all at once: row switches, accumulator reads, buffer writes, multiplications.

A *walk* is a sequence of loads (columns of what is sent go to the global buffer) and pieces (multiplications of an output). Where a
piece crosses a row it becomes several *parts*; in front of a load or part stand the row switch and the accumulator reads that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX
from pimsim.program.block import FIELDS, Block, IntArray


class Load(NamedTuple):
    """Columns of what is sent that the following pieces work on."""

    operand: int
    columns: int


class Piece(NamedTuple):
    """MACs of an output: ``columns`` from run position ``linear``, for ``vectors`` at once; results go to groups from ``output`` on."""

    linear: int
    columns: int
    output: int
    vectors: int = 1


class _Parts(NamedTuple):
    """Loads and parts of pieces in order, column by column; ``piece``: number of the piece, -1 for a load."""

    piece: IntArray
    first: IntArray  # 1 for the first part of a piece
    row: IntArray  # open row that it needs; a load's is that of what follows, or of what came before
    column: IntArray
    columns: IntArray
    operand: IntArray
    vectors: IntArray


def vmm_block(device: Device, walk: Sequence[Load | Piece]) -> Block:
    """Bursts of one channel for ``walk``; rows are opened ahead of the accumulator reads that they can hide."""
    if not walk:
        return Block(*np.zeros((len(FIELDS), 0), np.int64))
    parts = _parts(walk, device.organization.columns)
    before = np.concatenate([[-1], parts.row[:-1]])
    switches, opened = parts.row != before, before >= 0
    groups = device.activation_groups
    reads_at, order = _reads(parts, device.pim.accumulators_per_bank)
    reads = np.bincount(reads_at, minlength=len(parts.row) + 1)
    size = np.where(switches, groups + opened, 0) + reads[:-1] + 1
    start = np.concatenate([[0], np.cumsum(size)])
    bursts = _Bursts(device, int(start[-1] + reads[-1] + (parts.row[-1] >= 0)))
    closing = start[:-1][switches & opened]
    bursts.put(closing, "PREab")
    activation = start[:-1][switches] + opened[switches]
    for group in range(groups):
        bursts.put(activation + group, "ACT_AB", row=parts.row[switches], group=group if groups > 1 else -1)
    first_read = start[:-1] + size - 1 - reads[:-1]
    at = np.concatenate([first_read, start[-1:]])[reads_at] + order
    pieces = parts.first == 1
    bursts.put(at, "RD_MAC", count=parts.vectors[pieces], operand=parts.operand[pieces])
    own, loads = start[1:] - 1, parts.piece < 0
    bursts.put(own[loads], "WR_GB", count=parts.columns[loads], operand=parts.operand[loads])
    macs = ~loads
    bursts.put(
        own[macs], "MAC_AB", count=parts.columns[macs], row=parts.row[macs], column=parts.column[macs],
        operand=parts.operand[macs], vectors=parts.vectors[macs],
    )  # fmt: skip
    if parts.row[-1] >= 0:
        bursts.put(start[-1:] + reads[-1:], "PREab")
    return bursts.block()


def _parts(walk: Sequence[Load | Piece], per_row: int) -> _Parts:
    is_load = np.array([len(step) == 2 for step in walk])
    linear, columns, operand, vectors = np.array(
        [(-1, step[1], step[0], 1) if len(step) == 2 else step for step in walk], np.int64
    ).T
    first_row = np.where(is_load, 0, linear // per_row)
    crossed = np.where(is_load, 0, (linear + columns - 1) // per_row - first_row)
    step = np.repeat(np.arange(len(walk)), crossed + 1)
    part = np.arange(len(step)) - np.repeat(np.cumsum(crossed + 1) - crossed - 1, crossed + 1)
    begin = np.maximum(linear[step], (first_row[step] + part) * per_row)
    end = np.minimum((linear + columns)[step], (first_row[step] + part + 1) * per_row)
    load = is_load[step]
    row = np.where(load, -1, first_row[step] + part)
    follows = np.concatenate([load[1:], [True]])
    row = np.where(load, np.where(follows, -1, np.concatenate([row[1:], [-1]])), row)
    held = np.maximum.accumulate(np.where(row >= 0, np.arange(len(row)), -1))
    row = np.where(held >= 0, row[np.maximum(held, 0)], -1)
    number = np.where(is_load, -1, np.cumsum(~is_load) - 1)
    return _Parts(
        number[step],
        np.where(load, 0, part == 0).astype(np.int64),
        row,
        np.where(load, -1, begin % per_row),
        np.where(load, columns[step], end - begin),
        operand[step],
        vectors[step],
    )


def _reads(parts: _Parts, accumulators: int) -> tuple[IntArray, IntArray]:
    """Before which part each piece's result is read (their number: at the end), and how many results are read there before it.

    Accumulators are read when all are taken and another piece begins, before a load, and at the end.
    """
    begins, loads = np.flatnonzero(parts.first), np.flatnonzero(parts.piece < 0)
    since = np.searchsorted(loads, begins)  # number of the load run that a piece belongs to
    first_of_run = np.searchsorted(since, since)
    inside = np.arange(len(begins)) - first_of_run
    next_full = first_of_run + (inside // accumulators + 1) * accumulators
    end_of_run = np.searchsorted(since, since, side="right")
    next_load = np.concatenate([loads, [len(parts.piece)]])[since]
    full = next_full < end_of_run
    at = np.where(full, begins[np.minimum(next_full, len(begins) - 1)], next_load)
    return at, inside % accumulators


class _Bursts:
    """Columns of a block of known length, filled command by command."""

    def __init__(self, device: Device, length: int) -> None:
        self.device = device
        self.columns = {name: np.full(length, -1, np.int64) for name in FIELDS}
        self.columns["count"][:] = self.columns["vectors"][:] = 1

    def put(self, at: IntArray, name: str, **values: IntArray | int) -> None:
        """Commands ``name`` at places ``at``."""
        code = self.device.table.code[name]
        self.columns["command"][at] = code
        self.columns["cause"][at] = CAUSE_INDEX[self.device.standard.commands[code].cause]
        for field, value in values.items():
            self.columns[field][at] = value

    def block(self) -> Block:
        """The block; mode switches are inserted where the standard needs them."""
        standard = self.device.standard
        if standard.mode_switch:
            register = np.array([command.register for command in standard.commands])[self.columns["command"]]
            changes = np.flatnonzero(np.concatenate([register, [False]]) != np.concatenate([[False], register]))
            filler = dict.fromkeys(FIELDS, -1) | {"count": 1, "vectors": 1, "cause": CAUSE_INDEX["turnaround"]}
            filler["command"] = self.device.table.code[standard.mode_switch]
            self.columns = {name: np.insert(column, changes, filler[name]) for name, column in self.columns.items()}
        return Block(**self.columns)
