"""Lower products of matrices with one or more vectors to bursts: weights, attention scores and attention context share one loop.

The vectors meet the matrix in *passes*: as many as the global buffer holds are broadcast at once, then the channel's slots
are walked, switching rows where the run of columns crosses a row, and the accumulators are read after each finished
output. A row switch is issued before the accumulator read that it can hide. What does not fit one pass has an order: all
rows for one pass after the other, or (``row_open``) every row kept open for all passes, for which the buffer is rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from pimsim.config.device import Device
from pimsim.mapping.layout import Region
from pimsim.program.block import Block, BlockBuilder


@dataclass(frozen=True)
class Piece:
    """MACs of an output: ``columns`` from run position ``linear``, for ``vectors`` at once; results go to groups from ``output`` on."""

    linear: int
    columns: int
    output: int
    vectors: int = 1


@dataclass(frozen=True)
class Load:
    """Columns of what is sent that the following pieces work on."""

    operand: int
    columns: int


@dataclass(frozen=True)
class Vectors:
    """``count`` vectors that meet a matrix: ``together`` share a column read, the buffer holds ``buffer_columns`` of each such place."""

    count: int
    together: int
    buffer_columns: int
    row_open: bool = False

    def passes(self, columns: int) -> list[tuple[int, int]]:
        """(first vector, vectors) of each pass, when a vector takes ``columns`` of the buffer."""
        size = max(1, self.together * self.buffer_columns // columns)
        return [(first, min(size, self.count - first)) for first in range(0, self.count, size)]

    def most_per_pass(self, columns: int) -> int:
        """Vectors of the largest pass."""
        return max(vectors for _, vectors in self.passes(columns))

    def groups(self, first: int, vectors: int) -> Iterator[tuple[int, int]]:
        """(first vector, vectors) that share a column read, of one pass."""
        for start in range(first, first + vectors, self.together):
            yield start, min(self.together, first + vectors - start)


def vectors_for(device: Device, count: int, row_open: bool) -> Vectors:
    """``count`` vectors on a device's buffers and multipliers."""
    pim, column_bytes = device.pim, device.organization.column_bytes
    return Vectors(count, pim.vectors_per_column, pim.global_buffer_bytes // column_bytes, row_open)


def weight_steps(region: Region, channel: int, slots_at_once: int, vectors: Vectors) -> list[Load | Piece]:
    """Loads and pieces of a weight matrix; chunk ``c`` of slot ``s`` gives output groups ``(c * slots + s) * count + vector``.

    All chunks of ``slots_at_once`` local slots are done before the next, so that their partial sums fit the ASIC.
    """
    steps: list[Load | Piece] = []
    chunks, local = region.layout.chunks, region.slots_in(channel)
    total = sum(chunk.columns for chunk in chunks)
    passes = vectors.passes(max(chunk.columns for chunk in chunks))
    for begin in range(0, local, slots_at_once):
        slots = range(begin, min(begin + slots_at_once, local))
        for together in [passes] if vectors.row_open else [[one] for one in passes]:
            for c, chunk in enumerate(chunks):
                for run in _runs(region, slots, c) if vectors.row_open else [slots]:
                    for first, size in together:
                        steps.append(Load(first * total + size * chunk.start, size * chunk.columns))
                        steps += _weight_pieces(region, channel, run, c, vectors, (first, size))
    return steps


def _weight_pieces(
    region: Region, channel: int, slots: range | list[int], c: int, vectors: Vectors, one_pass: tuple[int, int]
) -> Iterator[Piece]:
    columns, channels = region.layout.chunks[c].columns, region.geometry.channels
    for i in slots:
        output = (c * region.layout.slots + i * channels + channel) * vectors.count
        for vector, together in vectors.groups(*one_pass):
            yield Piece(region.linear(i, c), columns, output + vector, together)


def _runs(region: Region, slots: Iterable[int], c: int) -> list[list[int]]:
    """Slots of a chunk that begin in the same row, row after row."""
    per_row = region.geometry.columns_per_row
    return [list(run) for _, run in groupby(slots, key=lambda i: region.linear(i, c) // per_row)]


def score_steps(region: Region, channel: int, reach: int, head_columns: int, vectors: Vectors) -> list[Load | Piece]:
    """Loads and pieces of q x K for the first ``reach`` tokens: ``vectors`` meet each K head.

    Token slot ``s`` and K head ``k`` give output groups ``(s * kv_heads + k) * count + vector``.
    """
    steps: list[Load | Piece] = []
    geometry, chunks = region.geometry, region.layout.chunks
    kv_heads = sum(chunk.columns for chunk in chunks) // head_columns
    local = len(range(channel, geometry.slots_for(reach), geometry.channels))
    for c, chunk in enumerate(chunks if local else ()):
        passes = vectors.passes(chunk.columns)
        for run in _runs(region, range(local), c) if vectors.row_open else [range(local)]:
            for first, size in passes:
                steps.append(Load(vectors.count * chunk.start + first * chunk.columns, size * chunk.columns))
                for i in run:
                    for k in range(chunk.columns // head_columns):
                        head = chunk.start // head_columns + k
                        output = ((i * geometry.channels + channel) * kv_heads + head) * vectors.count
                        linear = region.linear(i, c) + k * head_columns
                        steps += [Piece(linear, head_columns, output + v, n) for v, n in vectors.groups(first, size)]
    return steps


def context_steps(region: Region, channel: int, reach: int, kv_heads: int, vectors: Vectors) -> list[Load | Piece]:
    """Loads and pieces of p x V over the first ``reach`` tokens: chunks of tokens, V heads within.

    Slot ``s`` of chunk ``c`` gives output groups ``(c * slots + s) * count + vector``.
    """
    steps: list[Load | Piece] = []
    geometry, slots = region.geometry, region.layout.slots
    used, per_head = geometry.columns_for(reach), slots // kv_heads
    for c, chunk in enumerate(region.layout.chunks):
        columns = min(chunk.columns, used - chunk.start)
        if columns <= 0:
            break
        for head in range(kv_heads):
            mine = [
                s // geometry.channels for s in range(head * per_head, (head + 1) * per_head) if s % geometry.channels == channel
            ]
            sent = vectors.count * (head * used + chunk.start)
            for run in _runs(region, mine, c) if vectors.row_open else [mine] if mine else []:
                for first, size in vectors.passes(columns):
                    steps.append(Load(sent + first * columns, size * columns))
                    for i in run:
                        output = (c * slots + i * geometry.channels + channel) * vectors.count
                        steps += [Piece(region.linear(i, c), columns, output + v, n) for v, n in vectors.groups(first, size)]
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
    """Row and accumulator state while bursts are emitted; an accumulator of a bank holds an output of all vectors of a column read."""

    def __init__(self, builder: BlockBuilder, columns_per_row: int, accumulators: int) -> None:
        self.builder, self.columns_per_row, self.accumulators = builder, columns_per_row, accumulators
        self.row = -1
        self.unread: list[Piece] = []

    def switch_to(self, row: int) -> None:
        if row == self.row:
            return
        if self.row >= 0:
            self.builder.add("PREab")
        self.builder.activate_all(row)
        self.row = row

    def read_accumulators(self) -> None:
        for piece in self.unread:
            self.builder.add("RD_MAC", count=piece.vectors, operand=piece.output)
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
            self.builder.add("MAC_AB", count=count, row=row, column=column, operand=piece.output, vectors=piece.vectors)
            linear, left = linear + count, left - count
        self.unread.append(piece)

    def finish(self) -> Block:
        self.read_accumulators()
        if self.row >= 0:
            self.builder.add("PREab")
        return self.builder.finish()
