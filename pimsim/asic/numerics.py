"""What the ASIC's instructions compute, in float32: exactly, or by the additions and multiplications that are timed.

The approximations are the algorithms whose operations ``functions`` counts. All functions take and give float32 arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.config.hardware import AsicSpec

FloatArray = NDArray[np.float32]
Function = Callable[[FloatArray], FloatArray]
EXPONENT_LIMIT = 125
RECIPROCAL_SEED = 0x7EF311C7
RSQRT_SEED = 0x5F3759DF
LAYER_NORM_EPSILON = np.float32(1e-5)
GELU_CUBIC = np.float32(0.044715)
GELU_SCALE = np.float32(math.sqrt(2 / math.pi))
EXACT, APPROXIMATE = "exact", "asic"
NUMERICS = (EXACT, APPROXIMATE)


@dataclass(frozen=True)
class Numerics:
    """The four functions that are not additions or multiplications."""

    exp: Function
    gelu: Function
    reciprocal: Function
    rsqrt: Function


def exact() -> Numerics:
    """The functions of the float32 mathematical library."""
    return Numerics(np.exp, _exact_gelu, np.reciprocal, lambda x: np.reciprocal(np.sqrt(x)))


def approximate(asic: AsicSpec) -> Numerics:
    """Taylor series, Newton steps and integer seeds with the ASIC's numbers of terms and steps."""
    return Numerics(
        exp=lambda x: taylor_exp(x, asic.exp_taylor_terms),
        gelu=lambda x: taylor_gelu(x, asic.gelu_taylor_terms, asic.reciprocal_newton_steps),
        reciprocal=lambda x: newton_reciprocal(x, asic.reciprocal_newton_steps),
        rsqrt=lambda x: fast_rsqrt(x, asic.rsqrt_newton_steps),
    )


def taylor_exp(x: FloatArray, terms: int) -> FloatArray:
    """exp(x) as 2^k times ``terms`` terms of exp(r), x = k ln 2 + r with |r| <= ln 2 / 2; the exponent saturates at +-125."""
    x = np.asanyarray(x, np.float32)
    k = np.floor(x * np.float32(math.log2(math.e)) + np.float32(0.5))
    r = x - k * np.float32(math.log(2))
    series = np.full_like(r, 1 / math.factorial(terms - 1))
    for n in range(terms - 2, -1, -1):
        series = series * r + np.float32(1 / math.factorial(n))
    exponent = np.clip(k, -EXPONENT_LIMIT, EXPONENT_LIMIT).astype(np.int32)
    return (series.view(np.int32) + (exponent << 23)).view(np.float32)


def newton_reciprocal(d: FloatArray, steps: int) -> FloatArray:
    """1 / d for positive d: the exponent negated by one integer subtraction, then y (2 - d y) for each step."""
    d = np.asanyarray(d, np.float32)
    y = (np.int32(RECIPROCAL_SEED) - d.view(np.int32)).view(np.float32)
    for _ in range(steps):
        y = y * (np.float32(2) - d * y)
    return y


def fast_rsqrt(x: FloatArray, steps: int) -> FloatArray:
    """1 / sqrt(x) for positive x: the exponent halved and negated on its integer form, then y (1.5 - x/2 y y) for each step."""
    x = np.asanyarray(x, np.float32)
    y = (np.int32(RSQRT_SEED) - (x.view(np.int32) >> 1)).view(np.float32)
    half = np.float32(0.5) * x
    for _ in range(steps):
        y = y * (np.float32(1.5) - half * y * y)
    return y


def taylor_gelu(x: FloatArray, terms: int, steps: int) -> FloatArray:
    """GELU (tanh form) as x / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3)."""
    x = np.asanyarray(x, np.float32)
    u = x + x * x * x * GELU_CUBIC
    return x * newton_reciprocal(np.float32(1) + taylor_exp(np.float32(-2) * GELU_SCALE * u, terms), steps)


def tree_sum(values: FloatArray) -> FloatArray:
    """Sum over the last axis by a binary tree of neighbours, as the ASIC's adders add."""
    while values.shape[-1] > 1:
        if values.shape[-1] % 2:
            values = np.concatenate([values, np.zeros((*values.shape[:-1], 1), np.float32)], -1)
        values = values[..., 0::2] + values[..., 1::2]
    return values[..., 0]


def layer_norm(x: FloatArray, scale: FloatArray, shift: FloatArray, numerics: Numerics) -> FloatArray:
    """Zero mean, unit variance (epsilon 1e-5), then scale and shift of one vector."""
    inverse_width = np.float32(1 / len(x))
    centred = x - tree_sum(x) * inverse_width
    variance = tree_sum(centred * centred) * inverse_width
    return centred * numerics.rsqrt(np.atleast_1d(variance + LAYER_NORM_EPSILON))[0] * scale + shift


def softmax(scores: FloatArray, head_width: int, numerics: Numerics) -> FloatArray:
    """Softmax of scores / sqrt(head_width) over the last axis of (heads, context)."""
    scaled = scores * np.float32(1 / math.sqrt(head_width))
    powers = numerics.exp(scaled - scaled.max(-1, keepdims=True))
    return powers * numerics.reciprocal(tree_sum(powers))[:, None]


def _exact_gelu(x: FloatArray) -> FloatArray:
    return np.asarray(np.float32(0.5) * x * (np.float32(1) + np.tanh(GELU_SCALE * (x + GELU_CUBIC * x * x * x))), np.float32)
