"""Compiled core: BF16 arithmetic on single numbers and columns of them."""

from __future__ import annotations

import numpy as np

from pimsim.engine.kernels_cache import inner_kernel


@inner_kernel
def rounded(value, scratch):  # type: ignore[no-untyped-def]
    """``value`` (float32) rounded to the nearest BF16, ties to even; ``scratch`` is room for one float32."""
    scratch[0] = value
    bits = scratch.view(np.uint32)
    if value == value:
        word = bits[0]
        bits[0] = (word + np.uint32(0x7FFF) + ((word >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return scratch[0]


@inner_kernel
def tree_sum(products, width, round_sums, scratch):  # type: ignore[no-untyped-def]
    """Sum of the first ``width`` (a power of two) ``products`` by a tree of neighbours; overwrites ``products``."""
    while width > 1:
        width //= 2
        for i in range(width):
            products[i] = products[2 * i] + products[2 * i + 1]
            if round_sums:
                products[i] = rounded(products[i], scratch)
    return products[0]


@inner_kernel
def widen(column, values, words):  # type: ignore[no-untyped-def]
    """Write a column of BF16 to ``values`` as float32, through ``words``, the same memory as uint32."""
    for lane in range(len(column)):
        words[lane] = np.uint32(column[lane]) << np.uint32(16)
