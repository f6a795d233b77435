"""A naive mapping, for comparison: every output's part of a chunk begins a new row, and every head stands alone."""

from __future__ import annotations

from dataclasses import replace

from pimsim.mapping.layout import Chunk, Geometry, Layout
from pimsim.mapping.policies import pim_gpt

ROW_OPEN = False


def matrix(geometry: Geometry, outputs: int, inputs: int) -> Layout:
    """A weight matrix with one output's chunk to a row."""
    return _row_aligned(geometry, pim_gpt.matrix(geometry, outputs, inputs))


def keys(geometry: Geometry, heads: int, head_width: int, context: int, queries: int = 1) -> Layout:
    """K with one token's head to a row."""
    columns = geometry.columns_for(head_width)
    chunks = tuple(Chunk(head * columns, columns, columns) for head in range(heads))
    return _row_aligned(geometry, Layout(-(-context // geometry.banks), chunks))


def values(geometry: Geometry, heads: int, head_width: int, context: int) -> Layout:
    """V with one dimension's chunk of tokens to a row."""
    return _row_aligned(geometry, pim_gpt.values(geometry, heads, head_width, context))


def _row_aligned(geometry: Geometry, layout: Layout) -> Layout:
    per_row = geometry.columns_per_row
    chunks = tuple(replace(chunk, stride=-(-chunk.columns // per_row) * per_row) for chunk in layout.chunks)
    return Layout(layout.slots, chunks)
