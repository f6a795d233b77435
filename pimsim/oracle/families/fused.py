"""Layouts of fused query, key and value projections: which rows of the matrix are whose."""

from __future__ import annotations

import numpy as np

from pimsim.oracle.linear import Linear

Projections = tuple[Linear, Linear, Linear]


def in_thirds(fused: Linear, query_width: int, kv_width: int) -> Projections:
    """[all q, all k, all v]."""
    ends = query_width, query_width + kv_width, query_width + 2 * kv_width
    return fused.part(0, ends[0]), fused.part(ends[0], ends[1]), fused.part(ends[1], ends[2])


def by_group(fused: Linear, heads: int, kv_heads: int, width: int) -> Projections:
    """For each head of keys and values: [its query heads, k, v]."""
    shared = heads // kv_heads
    rows = np.arange(kv_heads * (shared + 2) * width).reshape(kv_heads, shared + 2, width)
    return (
        fused.picked(rows[:, :shared].ravel()),
        fused.picked(rows[:, shared].ravel()),
        fused.picked(rows[:, shared + 1].ravel()),
    )


def in_blocks(fused: Linear, blocks: int, width: int) -> Projections:
    """``blocks`` blocks, each [q, v, k]; ``width`` is that of all q."""
    rows = np.arange(3 * width).reshape(blocks, 3, width // blocks)
    return fused.picked(rows[:, 0].ravel()), fused.picked(rows[:, 2].ravel()), fused.picked(rows[:, 1].ravel())
