"""What the ASIC's instructions compute, in float32: exactly, or by the additions and multiplications that are timed.

The approximations are the algorithms whose operations ``functions`` counts. All functions take and give float32 arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.asic import series
from pimsim.asic.series import GELU_CUBIC, GELU_SCALE, fast_rsqrt, newton_reciprocal, taylor_exp, taylor_gelu
from pimsim.config.hardware import AsicSpec

FloatArray = NDArray[np.float32]
Function = Callable[[FloatArray], FloatArray]
QUICK_GELU = np.float32(1.702)
EXACT, APPROXIMATE = "exact", "asic"
NUMERICS = (EXACT, APPROXIMATE)


@dataclass(frozen=True)
class Numerics:
    """The functions that are not additions or multiplications. ``sine`` and ``cosine`` take angles from -pi to pi."""

    exp: Function
    gelu: Function
    reciprocal: Function
    rsqrt: Function
    sigmoid: Function
    tanh: Function
    gelu_erf: Function
    softplus: Function
    sine: Function
    cosine: Function


def exact() -> Numerics:
    """The functions of the float32 mathematical library; erf is right to its last bits."""
    return Numerics(
        exp=np.exp,
        gelu=_exact_gelu,
        reciprocal=np.reciprocal,
        rsqrt=lambda x: np.reciprocal(np.sqrt(x)),
        sigmoid=lambda x: np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * x)),
        tanh=np.tanh,
        gelu_erf=lambda x: (0.5 * x * (1 + exact_erf(x.astype(np.float64) / math.sqrt(2)))).astype(np.float32),
        softplus=lambda x: np.logaddexp(np.float32(0), x),
        sine=np.sin,
        cosine=np.cos,
    )


def approximate(asic: AsicSpec) -> Numerics:
    """Taylor series, Newton steps and integer seeds with the ASIC's numbers of terms and steps."""
    terms, steps = asic.gelu_taylor_terms, asic.reciprocal_newton_steps
    return Numerics(
        exp=lambda x: taylor_exp(x, asic.exp_taylor_terms),
        gelu=lambda x: taylor_gelu(x, terms, steps),
        reciprocal=lambda x: newton_reciprocal(x, steps),
        rsqrt=lambda x: fast_rsqrt(x, asic.rsqrt_newton_steps),
        sigmoid=lambda x: series.sigmoid(x, terms, steps),
        tanh=lambda x: series.tanh(x, terms, steps),
        gelu_erf=lambda x: series.gelu_erf(x, terms, steps),
        softplus=lambda x: series.softplus(x, terms, steps),
        sine=lambda x: series.sine(x, asic.rotary_taylor_terms),
        cosine=lambda x: series.cosine(x, asic.rotary_taylor_terms),
    )


def tree_sum(values: FloatArray) -> FloatArray:
    """Sum over the last axis by a binary tree of neighbours, as the ASIC's adders add."""
    while values.shape[-1] > 1:
        if values.shape[-1] % 2:
            values = np.concatenate([values, np.zeros((*values.shape[:-1], 1), np.float32)], -1)
        values = values[..., 0::2] + values[..., 1::2]
    return values[..., 0]


def normed(x: FloatArray, epsilon: float, numerics: Numerics, centred: bool) -> FloatArray:
    """Vectors of the last axis of ``x`` at unit mean square, ``centred`` about zero first; ``epsilon`` is added to the mean square."""
    inverse_width = np.float32(1 / x.shape[-1])
    if centred:
        x = x - (tree_sum(x) * inverse_width)[..., None]
    mean_square = tree_sum(x * x) * inverse_width
    return x * numerics.rsqrt(mean_square + np.float32(epsilon))[..., None]


def softmax(scores: FloatArray, numerics: Numerics, sinks: FloatArray | None = None) -> FloatArray:
    """Softmax over the last axis of (heads, tokens); ``sinks`` is an extra score a head that takes part in the sum alone."""
    largest = scores.max(-1, keepdims=True)
    if sinks is not None:
        largest = np.maximum(largest, sinks[:, None])
    powers = numerics.exp(scores - largest)
    total = powers if sinks is None else np.concatenate([powers, numerics.exp(sinks[:, None] - largest)], -1)
    return powers * numerics.reciprocal(tree_sum(total))[:, None]


def activated(x: FloatArray, function: str, numerics: Numerics) -> FloatArray:
    """``function`` of every element, by the name a description gives."""
    if function == "relu":
        return np.maximum(x, np.float32(0))
    if function == "relu2":
        return np.maximum(x, np.float32(0)) ** 2
    if function == "silu":
        return x * numerics.sigmoid(x)
    if function == "quick_gelu":
        return x * numerics.sigmoid(QUICK_GELU * x)
    if function == "identity":
        return x
    return getattr(numerics, function)(x)  # type: ignore[no-any-return]


def _exact_gelu(x: FloatArray) -> FloatArray:
    return np.asarray(np.float32(0.5) * x * (np.float32(1) + np.tanh(GELU_SCALE * (x + GELU_CUBIC * x * x * x))), np.float32)


_erf = np.frompyfunc(math.erf, 1, 1)


def exact_erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The error function in float64."""
    return np.asarray(_erf(x), np.float64)
