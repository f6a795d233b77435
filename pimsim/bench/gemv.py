"""Matrix-vector products as AiM instruction traces, in three styles of accumulation.

A matrix of ``outputs`` x ``inputs`` lies with one output row in each bank of every channel: a tile of outputs is as many as
there are banks, and its inputs are cut into chunks of one DRAM row. Chunk ``c`` of tile ``t`` is row ``t * chunks + c``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pimsim.errors import BenchError, nearest

BANKS, COLUMNS_PER_ROW, ELEMENTS_PER_COLUMN, MASK_CHANNELS = 16, 64, 16, 32
REGISTERS = 32


class GemvTrace(NamedTuple):
    """A matrix-vector product on the first ``channels`` channels. ``style``: see STYLES."""

    outputs: int
    inputs: int
    channels: int
    style: str

    @property
    def name(self) -> str:
        """Name of the trace among the reference traces."""
        return f"gemv_{self.outputs}x{self.inputs}_{self.channels}ch_{self.style}"

    @property
    def chunks(self) -> list[int]:
        """Columns of each chunk of the input vector."""
        columns = -(-self.inputs // ELEMENTS_PER_COLUMN)
        return [min(COLUMNS_PER_ROW, columns - start) for start in range(0, columns, COLUMNS_PER_ROW)]

    @property
    def tiles(self) -> range:
        """Tiles of outputs."""
        return range(-(-self.outputs // (self.channels * BANKS)))


def gemv_text(gemv: GemvTrace) -> str:
    """The trace's text. Raises BenchError for an unknown style, or for sizes or channels out of range."""
    if gemv.style not in STYLES:
        raise BenchError(f"unknown style '{gemv.style}'{nearest(gemv.style, STYLES)}; allowed: {', '.join(STYLES)}")
    if min(gemv.outputs, gemv.inputs) < 1 or not 1 <= gemv.channels <= MASK_CHANNELS:
        raise BenchError(f"{gemv.name}: sizes must be at least 1, channels 1 to {MASK_CHANNELS}")
    mask = f"{((1 << gemv.channels) - 1) << (MASK_CHANNELS - gemv.channels):#x}"
    lines = [line.replace("MASK", mask) for line in STYLES[gemv.style](gemv)]
    return "\n".join(f"AiM {line}" for line in [*lines, "EOC"]) + "\n"


def _in_the_accumulator(gemv: GemvTrace) -> Iterator[str]:
    """One accumulator, read once a tile; the vector is broadcast again for every tile if it has several chunks."""
    chunks = gemv.chunks
    for tile in gemv.tiles:
        for c, columns in enumerate(chunks):
            if tile == 0 or len(chunks) > 1:
                yield _broadcast(columns)
            yield _multiply(columns, tile * len(chunks) + c)
        yield _READ


def _chunk_by_chunk(gemv: GemvTrace, at_once: int) -> Iterator[str]:
    """Each chunk broadcast once; ``at_once`` tiles are loaded with partial sums, multiplied and read together."""
    chunks, tiles = gemv.chunks, gemv.tiles
    for c, columns in enumerate(chunks):
        yield _broadcast(columns)
        for first in range(0, len(tiles), at_once):
            group = tiles[first : first + at_once]
            yield from [_PARTIAL] * len(group)
            yield from (_multiply(columns, tile * len(chunks) + c) for tile in group)
            yield from [_READ] * len(group)


_READ, _PARTIAL = "RD_MAC 0 MASK", "WR_BIAS 0 MASK"


def _broadcast(columns: int) -> str:
    return f"WR_GB {columns} 0 MASK"


def _multiply(columns: int, row: int) -> str:
    return f"MAC_ABK {columns} MASK {row}"


STYLES = {
    "acc1": _in_the_accumulator,
    "noreuse": lambda gemv: _chunk_by_chunk(gemv, 1),
    "reuse32": lambda gemv: _chunk_by_chunk(gemv, REGISTERS),
}
