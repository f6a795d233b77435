"""PIM-GPT's mapping: outputs packed one after another so that rows are used to the end, heads concatenated.

Of several vectors, all rows are run for as many as the buffer holds before the next. K is row-major (a token's heads side by side in one bank), V column-major (a head's dimension is a run of tokens).
"""

from __future__ import annotations

from pimsim.errors import MappingError
from pimsim.mapping.layout import Chunk, Geometry, Layout

ROW_OPEN = False


def matrix(geometry: Geometry, outputs: int, inputs: int) -> Layout:
    """A weight matrix: slots of one output a bank, input vector cut at the global buffer's size."""
    return Layout(-(-outputs // geometry.banks), _cut(geometry, geometry.columns_for(inputs)))


def keys(geometry: Geometry, heads: int, head_width: int, context: int, queries: int = 1) -> Layout:
    """K: slots of one token a bank; as many whole heads to a chunk as the global buffer holds with their query heads."""
    head_columns = geometry.columns_for(head_width)
    if head_columns > geometry.buffer_columns:
        raise MappingError(
            f"a head of {head_width} elements cannot be multiplied with K at once: the global buffer holds "
            f"{geometry.buffer_columns * geometry.lanes} (pim.global_buffer_bytes)"
        )
    heads_per_chunk = max(1, geometry.buffer_columns // (head_columns * queries))
    chunks = []
    for first in range(0, heads, heads_per_chunk):
        columns = min(heads_per_chunk, heads - first) * head_columns
        chunks.append(Chunk(first * head_columns, columns, columns))
    return Layout(-(-context // geometry.banks), tuple(chunks))


def values(geometry: Geometry, heads: int, head_width: int, context: int) -> Layout:
    """V: slots of one dimension of a head a bank; chunks of the reserved context."""
    return Layout(heads * -(-head_width // geometry.banks), _cut(geometry, geometry.columns_for(context)))


def _cut(geometry: Geometry, columns: int) -> tuple[Chunk, ...]:
    size = geometry.buffer_columns
    pieces = [(start, min(size, columns - start)) for start in range(0, columns, size)]
    return tuple(Chunk(start, length, length) for start, length in pieces)
