"""The ASIC's series and Newton steps in float32: the additions and multiplications that ``chains`` counts.

All functions take and give float32 arrays.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
EXPONENT_LIMIT = 125
RECIPROCAL_SEED = 0x7EF311C7
RSQRT_SEED = 0x5F3759DF
GELU_CUBIC = np.float32(0.044715)
GELU_SCALE = np.float32(math.sqrt(2 / math.pi))
# erf(x) = 1 - (a1 t + ... + a5 t^5) exp(-x^2), t = 1 / (1 + p x), x >= 0: Abramowitz and Stegun 7.1.26, error below 1.5e-7.
ERF_P = np.float32(0.3275911)
ERF_A = tuple(np.float32(a) for a in (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429))


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


def sigmoid(x: FloatArray, terms: int, steps: int) -> FloatArray:
    """1 / (1 + exp(-x))."""
    return newton_reciprocal(np.float32(1) + taylor_exp(-np.asanyarray(x, np.float32), terms), steps)


def tanh(x: FloatArray, terms: int, steps: int) -> FloatArray:
    """2 sigmoid(2 x) - 1."""
    return np.float32(2) * sigmoid(np.float32(2) * x, terms, steps) - np.float32(1)


def gelu_erf(x: FloatArray, terms: int, steps: int) -> FloatArray:
    """GELU by the error function: x / 2 (1 + erf(x / sqrt 2))."""
    x = np.asanyarray(x, np.float32)
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = newton_reciprocal(np.float32(1) + ERF_P * z, steps)
    polynomial = np.full_like(t, ERF_A[-1])
    for a in ERF_A[-2::-1]:
        polynomial = polynomial * t + a
    erf = np.float32(1) - polynomial * t * taylor_exp(-z * z, terms)
    return np.float32(0.5) * x * (np.float32(1) + np.copysign(erf, x))


def log(x: FloatArray, terms: int, steps: int) -> FloatArray:
    """Natural logarithm of positive x = m 2^e, m in [sqrt(1/2), sqrt 2): e ln 2 + 2 (z + z^3/3 + ...), z = (m - 1) / (m + 1)."""
    mantissa, exponent = np.frexp(np.asanyarray(x, np.float32))
    small = mantissa < np.float32(math.sqrt(0.5))
    mantissa, exponent = np.where(small, 2 * mantissa, mantissa).astype(np.float32), exponent - small
    z = (mantissa - np.float32(1)) * newton_reciprocal(mantissa + np.float32(1), steps)
    square, series = z * z, np.full_like(z, 1 / (2 * terms - 1))
    for n in range(terms - 2, -1, -1):
        series = series * square + np.float32(1 / (2 * n + 1))
    return np.float32(2) * z * series + exponent.astype(np.float32) * np.float32(math.log(2))


def softplus(x: FloatArray, terms: int, steps: int) -> FloatArray:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    x = np.asanyarray(x, np.float32)
    return np.maximum(x, np.float32(0)) + log(np.float32(1) + taylor_exp(-np.abs(x), terms), terms, steps)


def sine(x: FloatArray, terms: int) -> FloatArray:
    """Sine of angles from -pi to pi: the nearest quarter turn is taken off, sine or cosine of the rest is a Taylor series."""
    return _quarters(np.asanyarray(x, np.float32), terms, 0)


def cosine(x: FloatArray, terms: int) -> FloatArray:
    """Cosine of angles from -pi to pi, as the sine a quarter turn on."""
    return _quarters(np.asanyarray(x, np.float32), terms, 1)


def _quarters(x: FloatArray, terms: int, ahead: int) -> FloatArray:
    quarter = np.rint(x * np.float32(2 / math.pi))
    rest = x - quarter * np.float32(math.pi / 2)
    square, place = rest * rest, (quarter.astype(np.int32) + ahead) % 4
    odd, even = np.zeros_like(rest), np.zeros_like(rest)
    for n in range(terms - 1, -1, -1):
        odd = odd * square + np.float32((-1) ** n / math.factorial(2 * n + 1))
        even = even * square + np.float32((-1) ** n / math.factorial(2 * n))
    value = np.where(place % 2 == 0, odd * rest, even)
    return np.where(place >= 2, -value, value).astype(np.float32)
