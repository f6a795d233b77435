"""Lower what is not a matrix-vector product: reads of stored vectors, and the write-back of K and V.

Single-bank commands throughout: a K row lies in one bank, and column-major V puts one element into each of many rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.mapping.layout import Region, Strip
from pimsim.program.block import Block, BlockBuilder, MovedBlock

_MAX_KNOWN = 2048  # blocks that are kept to be moved


class Run(NamedTuple):
    """Consecutive columns of one bank, and the column of the vector that the first of them holds."""

    bank: int
    linear: int
    columns: int
    operand: int


def run_block(device: Device, runs: list[Run], write: bool = False) -> Block | None:
    """Read or write runs one after another, row by row; None if there are none."""
    if not runs:
        return None
    builder, per_row = BlockBuilder(device), device.organization.columns
    cause = "kv_write" if write else "readout"
    for bank, linear, columns, operand in runs:
        while columns:
            row, column = divmod(linear, per_row)
            count = min(columns, per_row - column)
            builder.add("ACT", bank, row=row, cause=cause)
            builder.add("WR" if write else "RD", bank, count, row, column, operand, cause=cause)
            builder.add("PREpb", bank, cause=cause)
            linear, columns, operand = linear + count, columns - count, operand + count
    return builder.finish()


class RunBlocks:
    """Blocks of runs on one device; those that differ only in their rows and in what they move are built once."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._known: dict[tuple[bool, tuple[Run, ...]], Block | None] = {}
        self._moves = tuple(device.table.code[name] for name in ("RD", "WR"))

    def block(self, runs: list[Run], write: bool = False) -> MovedBlock | None:
        """As ``run_block``."""
        if not runs:
            return None
        per_row = self._device.organization.columns
        row, operand = runs[0].linear // per_row, runs[0].operand
        alike = tuple(Run(run.bank, run.linear - row * per_row, run.columns, run.operand - operand) for run in runs)
        if (write, alike) not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[write, alike] = run_block(self._device, list(alike), write)
        known = self._known[write, alike]
        return MovedBlock(known, row, operand, self._moves) if known is not None else None


def strip_runs(strip: Strip, channel: int, operand: int) -> list[Run]:
    """The run of a strip in ``channel``; ``operand`` is the strip's first column in the joint vector of a load."""
    columns = strip.columns_in(channel)
    return [Run(strip.bank, strip.linear, columns, operand + strip.first_in(channel))] if columns else []


def table_blocks(known: RunBlocks, table: Strip, entries: Sequence[int]) -> tuple[Block | None, ...]:
    """Blocks of all channels that read ``entries`` of a table one after another."""
    banks, found = table.geometry.banks, []
    places = [(entry % banks, entry // banks * table.local_columns) for entry in entries]
    of_width: dict[int, MovedBlock | None] = {}
    for channel in range(table.geometry.channels):
        columns = table.columns_in(channel)
        if columns not in of_width:
            runs = [Run(bank, linear, columns, place * table.columns) for place, (bank, linear) in enumerate(places) if columns]
            of_width[columns] = known.block(runs)
        block = of_width[columns]
        found.append(block.further(table.first_in(channel)) if block is not None else None)
    return tuple(found)


def row_runs(region: Region, output: int, channel: int) -> list[Run]:
    """The runs of one output of a matrix (an embedding row, or one token of K) in ``channel``; empty elsewhere."""
    slot, bank = divmod(output, region.geometry.banks)
    local, owner = divmod(slot, region.geometry.channels)
    if owner != channel:
        return []
    return [Run(bank, region.linear(local, c), chunk.columns, chunk.start) for c, chunk in enumerate(region.layout.chunks)]


def value_write_block(device: Device, region: Region, channel: int) -> Block:
    """Write one token's V: one masked column write in a row of every bank for each local slot, as for token 0.

    ACT, WR and PREpb of successive banks are interleaved, a quarter and three quarters of the banks apart, so that the
    activate interval hides the other latencies. The order does not depend on timing: a longer time never makes it faster.
    ``operand`` is ``slot * banks + bank``, the element that is written to lane ``token % lanes``.
    """
    geometry, in_group = region.geometry, device.organization.banks_per_group
    order = [bank for k in range(in_group) for bank in range(k, geometry.banks, in_group)]
    targets = [
        (bank, region.linear(local, 0), (local * geometry.channels + channel) * geometry.banks + bank)
        for local in range(region.slots_in(channel))
        for bank in order
    ]
    return _staggered(device, targets, geometry.banks // 4, max(1, 3 * geometry.banks // 4))


def value_offset(region: Region, token: int) -> list[int]:
    """Columns by which each local slot's write for ``token`` lies further on in the run than for token 0."""
    column = token // region.geometry.lanes
    c = next(c for c, part in enumerate(region.layout.chunks) if column < part.start + part.columns)
    offset = column - region.layout.chunks[c].start
    return [region.linear(local, c) + offset - region.linear(local, 0) for local in range(region.local_slots)]


def value_addresses(region: Region, block: Block, token: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each burst of a block of ``value_write_block`` when it writes ``token``; -1 where there is none."""
    geometry = region.geometry
    shift = np.array(value_offset(region, token), np.int64)
    local = np.maximum(block.operand, 0) // geometry.banks // geometry.channels
    linear = block.row * geometry.columns_per_row + block.column + shift[local]
    addressed = block.row >= 0
    row, column = np.divmod(linear, geometry.columns_per_row)
    return np.where(addressed, row, -1), np.where(addressed, column, -1)


def _staggered(device: Device, targets: list[tuple[int, int, int]], write_lag: int, close_lag: int) -> Block:
    builder, per_row = BlockBuilder(device), device.organization.columns
    for i in range(len(targets) + close_lag):
        if i >= close_lag:
            builder.add("PREpb", targets[i - close_lag][0], cause="kv_write")
        if i < len(targets):
            bank, linear, operand = targets[i]
            builder.add("ACT", bank, 1, linear // per_row, linear % per_row, operand, cause="kv_write")
        if 0 <= i - write_lag < len(targets):
            bank, linear, operand = targets[i - write_lag]
            builder.add("WR", bank, 1, linear // per_row, linear % per_row, operand, cause="kv_write")
    return builder.finish()
