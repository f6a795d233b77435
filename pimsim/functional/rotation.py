"""Angles of rotary positions, as the ASIC makes them: the position times a 32-bit fraction of a turn, which wraps exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pimsim.config.decoder.positions import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    LongRopeScaling,
    RotaryPositions,
    YarnScaling,
)
from pimsim.functional.bf16 import FloatArray
from pimsim.workload.kinds.rope import RopeShape

DoubleArray = NDArray[np.float64]
_TURN = 1 << 32


def angles(shape: RopeShape, positions: Sequence[int], length: int) -> FloatArray:
    """(positions, pairs) angles from -pi to pi; ``length``: tokens of the whole sequence, for scalings that look at it."""
    steps = np.rint(frequencies(shape.positions, shape.rotated, length) / (2 * math.pi) * _TURN).astype(np.int64)
    turned = (np.asarray(positions, np.int64)[:, None] * steps[None, :]).astype(np.int32)
    return turned.astype(np.float32) * np.float32(2 * math.pi / _TURN)


def attention_factor(positions: RotaryPositions) -> float:
    """What multiplies sine and cosine."""
    return float(getattr(positions.scaling, "attention_factor", 1.0))


def frequencies(positions: RotaryPositions, width: int, length: int) -> DoubleArray:
    """Radians a token of each of ``width / 2`` pairs."""
    scaling, plain = positions.scaling, _plain(positions.theta, width)
    if isinstance(scaling, LinearScaling):
        return plain / scaling.factor
    if isinstance(scaling, Llama3Scaling):
        return _llama3(plain, scaling)
    if isinstance(scaling, YarnScaling):
        return _yarn(plain, scaling, positions.theta, width)
    if isinstance(scaling, LongRopeScaling):
        long = length > scaling.original_context
        return plain / np.array(scaling.long_factor if long else scaling.short_factor)
    if isinstance(scaling, DynamicScaling):
        growth = scaling.factor * max(length, scaling.original_context) / scaling.original_context - (scaling.factor - 1)
        return _plain(positions.theta * growth ** (width / (width - 2)), width)
    return plain


def _plain(theta: float, width: int) -> DoubleArray:
    return theta ** (-np.arange(0, width, 2) / width)


def _llama3(plain: DoubleArray, scaling: Llama3Scaling) -> DoubleArray:
    turns = scaling.original_context * plain / (2 * math.pi)
    share = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
    share = np.clip(share, 0, 1)
    return (1 - share) * plain / scaling.factor + share * plain


def _yarn(plain: DoubleArray, scaling: YarnScaling, theta: float, width: int) -> DoubleArray:
    def dimension(rotations: float) -> float:
        return width * math.log(scaling.original_context / (rotations * 2 * math.pi)) / (2 * math.log(theta))

    low, high = dimension(scaling.beta_fast), dimension(scaling.beta_slow)
    if scaling.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, width - 1)
    ramp = np.clip((np.arange(width // 2) - low) / max(high - low, 0.001), 0, 1)
    return plain / scaling.factor * ramp + plain * (1 - ramp)
