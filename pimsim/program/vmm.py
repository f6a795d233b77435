"""Lower products of matrices with one or more vectors to bursts: weights, attention scores and attention context share one loop.

The vectors meet the matrix in *passes*: as many as the global buffer holds are broadcast at once, then the channel's slots
are walked, switching rows where the run of columns crosses a row, and the accumulators are read after each finished
output. A row switch is issued before the accumulator read that it can hide. What does not fit one pass has an order: all
rows for one pass after the other, or (``row_open``) every row kept open for all passes, for which the buffer is rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from pimsim.config.device import Device
from pimsim.mapping.layout import Region
from pimsim.program.block import Block, MovedBlock
from pimsim.program.emit import Load, Piece, vmm_block


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


def weight_blocks(device: Device, region: Region, slots_at_once: int, vectors: Vectors) -> tuple[Block | None, ...]:
    """Blocks of all channels for a weight matrix."""

    def walk(channel: int) -> list[Load | Piece]:
        return weight_steps(region, channel, slots_at_once, vectors)

    return _alike(device, region, walk, region.slots_in, vectors.count)


def score_blocks(device: Device, region: Region, reach: int, head_columns: int, vectors: Vectors) -> tuple[Block | None, ...]:
    """Blocks of all channels for q x K; channels that hold equally many tokens differ in where results go."""
    geometry = region.geometry
    heads = sum(chunk.columns for chunk in region.layout.chunks) // head_columns

    def local(channel: int) -> int:
        return len(range(channel, geometry.slots_for(reach), geometry.channels))

    def walk(channel: int) -> list[Load | Piece]:
        return score_steps(region, channel, reach, head_columns, vectors)

    return _alike(device, region, walk, local, heads * vectors.count)


def context_blocks(device: Device, region: Region, reach: int, kv_heads: int, vectors: Vectors) -> tuple[Block | None, ...]:
    """Blocks of all channels for p x V; channels that hold equally many slots of every head differ in where results go."""
    per_head, channels = region.layout.slots // kv_heads, region.geometry.channels

    def local(channel: int) -> tuple[tuple[int, ...], ...]:
        heads = (range(head * per_head, (head + 1) * per_head) for head in range(kv_heads))
        return tuple(tuple(s // channels for s in slots if s % channels == channel) for slots in heads)

    def walk(channel: int) -> list[Load | Piece]:
        return context_steps(region, channel, reach, kv_heads, vectors)

    return _alike(device, region, walk, local, vectors.count)


def _alike(
    device: Device, region: Region, walk: Callable[[int], list[Load | Piece]], kind: Callable[[int], Hashable], apart: int
) -> tuple[Block | None, ...]:
    """Blocks of all channels, built once for each ``kind``: results of the next channel of a kind go ``apart`` groups further on."""
    first: dict[Hashable, tuple[int, Block]] = {}
    found: list[Block | None] = []
    results = (device.table.code["MAC_AB"], device.table.code["RD_MAC"])
    for channel in range(region.geometry.channels):
        what = kind(channel)
        if what not in first:
            first[what] = channel, vmm_block(device, walk(channel))
            found.append(first[what][1])
        else:
            at, block = first[what]
            found.append(MovedBlock(block, operands=(channel - at) * apart, of=results))
    return tuple(block if block is not None and block.bursts else None for block in found)
