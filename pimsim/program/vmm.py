"""Lower matrix-vector products to bursts: weights, attention scores and attention context share one loop.

For each chunk of the input vector: broadcast it into the global buffer, then walk the channel's slots, switching rows
where the run of columns crosses a row, and read the accumulators after each finished output. A row switch is issued
before the accumulator read that it can hide.
"""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.device import Device
from pimsim.mapping.layout import Region
from pimsim.program.block import Block, BlockBuilder


@dataclass(frozen=True)
class Piece:
    """MACs of one output: ``columns`` from run position ``linear``; its result goes to output group ``output``."""

    linear: int
    columns: int
    output: int


@dataclass(frozen=True)
class Load:
    """Columns of the input vector that the following pieces work on."""

    operand: int
    columns: int


def weight_steps(region: Region, channel: int, slots_at_once: int) -> list[Load | Piece]:
    """Loads and pieces of a weight matrix; chunk ``c`` of slot ``s`` gives output group ``c * slots + s``.

    All chunks of ``slots_at_once`` local slots are done before the next, so that their partial sums fit the ASIC.
    """
    steps: list[Load | Piece] = []
    channels, slots, local = region.geometry.channels, region.layout.slots, region.slots_in(channel)
    for first in range(0, local, slots_at_once):
        for c, chunk in enumerate(region.layout.chunks):
            steps.append(Load(chunk.start, chunk.columns))
            for i in range(first, min(first + slots_at_once, local)):
                steps.append(Piece(region.linear(i, c), chunk.columns, c * slots + i * channels + channel))
    return steps


def score_steps(region: Region, channel: int, context: int, head_columns: int) -> list[Load | Piece]:
    """Loads and pieces of q x K: for each token slot and head one output group, ``slot * heads + head``."""
    steps: list[Load | Piece] = []
    geometry = region.geometry
    heads = sum(chunk.columns for chunk in region.layout.chunks) // head_columns
    local = len(range(channel, geometry.slots_for(context), geometry.channels))
    for c, chunk in enumerate(region.layout.chunks if local else ()):
        steps.append(Load(chunk.start, chunk.columns))
        for i in range(local):
            for k in range(chunk.columns // head_columns):
                output = (i * geometry.channels + channel) * heads + chunk.start // head_columns + k
                steps.append(Piece(region.linear(i, c) + k * head_columns, head_columns, output))
    return steps


def context_steps(region: Region, channel: int, context: int, heads: int) -> list[Load | Piece]:
    """Loads and pieces of p x V: chunks of tokens, heads within; output group ``chunk * slots + slot``."""
    steps: list[Load | Piece] = []
    geometry, slots = region.geometry, region.layout.slots
    used, per_head = geometry.columns_for(context), slots // heads
    for c, chunk in enumerate(region.layout.chunks):
        columns = min(chunk.columns, used - chunk.start)
        if columns <= 0:
            break
        for head in range(heads):
            mine = [s for s in range(head * per_head, (head + 1) * per_head) if s % geometry.channels == channel]
            if mine:
                steps.append(Load(head * used + chunk.start, columns))
            steps += [Piece(region.linear(s // geometry.channels, c), columns, c * slots + s) for s in mine]
    return steps


def vmm_block(device: Device, steps: list[Load | Piece]) -> Block:
    """Bursts of one channel for ``steps``."""
    emitter = _Emitter(BlockBuilder(device), device.organization.columns, device.pim.accumulators_per_bank)
    for index, step in enumerate(steps):
        if isinstance(step, Load):
            following = steps[index + 1] if index + 1 < len(steps) else None
            emitter.load(step, following.linear if isinstance(following, Piece) else None)
        else:
            emitter.multiply(step)
    return emitter.finish()


class _Emitter:
    """Row and accumulator state while bursts are emitted."""

    def __init__(self, builder: BlockBuilder, columns_per_row: int, accumulators: int) -> None:
        self.builder, self.columns_per_row, self.accumulators = builder, columns_per_row, accumulators
        self.row = -1
        self.unread: list[int] = []

    def switch_to(self, row: int) -> None:
        if row == self.row:
            return
        if self.row >= 0:
            self.builder.add("PREab")
        self.builder.activate_all(row)
        self.row = row

    def read_accumulators(self) -> None:
        for output in self.unread:
            self.builder.add("RD_MAC", operand=output)
        self.unread.clear()

    def load(self, load: Load, next_linear: int | None) -> None:
        if next_linear is not None:
            self.switch_to(next_linear // self.columns_per_row)
        self.read_accumulators()
        self.builder.add("WR_GB", count=load.columns, operand=load.operand)

    def multiply(self, piece: Piece) -> None:
        self.switch_to(piece.linear // self.columns_per_row)
        if len(self.unread) == self.accumulators:
            self.read_accumulators()
        linear, left = piece.linear, piece.columns
        while left:
            row, column = divmod(linear, self.columns_per_row)
            self.switch_to(row)
            count = min(left, self.columns_per_row - column)
            self.builder.add("MAC_AB", count=count, row=row, column=column, operand=piece.output)
            linear, left = linear + count, left - count
        self.unread.append(piece.output)

    def finish(self) -> Block:
        self.read_accumulators()
        if self.row >= 0:
            self.builder.add("PREab")
        return self.builder.finish()
