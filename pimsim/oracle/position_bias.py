"""Biases on scores by distance: ALiBi's slopes and T5's relative buckets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from pimsim.oracle.arrays import Floats, Ints

PositionBias = Callable[[Ints, Ints], Floats]  # (rows,), (tokens,) positions -> (heads, rows, tokens)


@dataclass(frozen=True, eq=False)
class Alibi:
    """``slope x (key position - query position)``: slopes (heads,)."""

    slopes: Floats

    def __call__(self, rows: Ints, tokens: Ints) -> Floats:
        return self.slopes[:, None, None] * (tokens[None, :] - rows[:, None])


@dataclass(frozen=True, eq=False)
class RoundedAlibi:
    """``slope x key position`` with slopes and products rounded to BF16, then times ``scale``: Falcon adds it before scaling."""

    slopes: Floats
    scale: float

    def __call__(self, rows: Ints, tokens: Ints) -> Floats:
        products = _bf16(_bf16(self.slopes)[:, None, None] * tokens[None, None, :])
        return np.broadcast_to(products * self.scale, (len(self.slopes), len(rows), len(tokens)))


def slopes_from_below(heads: int) -> Floats:
    """2^(-8 i / n) for the power of two n not above ``heads``, then every other one of 2 n: BLOOM, Falcon."""
    below = 2 ** int(math.log2(heads))
    extra = 2.0 ** (-8 / (2 * below) * np.arange(1, 2 * (heads - below) + 1, 2))
    return np.concatenate([2.0 ** (-8 / below * np.arange(1, below + 1)), extra])


def slopes_from_above(heads: int, largest: float = 8.0) -> Floats:
    """2^(-largest i / n) for the power of two n not below ``heads``, odd-numbered ones first, cut to ``heads``: MPT."""
    above = 2 ** math.ceil(math.log2(heads))
    slopes = 2.0 ** (-largest / above * np.arange(1, above + 1))
    return slopes if above == heads else np.concatenate([slopes[1::2], slopes[::2]])[:heads]


@dataclass(frozen=True, eq=False)
class RelativeBuckets:
    """A learned bias by bucket of the distance: ``table`` (buckets, heads). Near distances have a bucket each, far ones share."""

    table: Floats
    longest: int
    both_ways: bool

    def __call__(self, rows: Ints, tokens: Ints) -> Floats:
        return np.moveaxis(self.table[self._bucket(tokens[None, :] - rows[:, None])], 2, 0)

    def _bucket(self, distance: Ints) -> Ints:
        buckets = len(self.table)
        first = np.zeros_like(distance)
        if self.both_ways:
            buckets //= 2
            first = np.where(distance > 0, buckets, 0)
            distance = np.abs(distance)
        else:
            distance = np.maximum(-distance, 0)
        near = buckets // 2
        ratio = np.log(np.maximum(distance, 1) / near) / math.log(self.longest / near)
        far = near + (ratio * (buckets - near)).astype(np.int64)
        return first + np.where(distance < near, distance, np.minimum(far, buckets - 1))


def _bf16(x: Floats) -> Floats:
    return x.astype(ml_dtypes.bfloat16).astype(np.float64)
