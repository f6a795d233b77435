"""How wrong the ASIC's series and Newton steps are: one figure for sweeps over their numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pimsim.asic.numerics import approximate, exact
from pimsim.config.hardware import AsicSpec

_POINTS = 513


def approximation_error(asic: AsicSpec) -> float:
    """Sum over exp, GELU, reciprocal and inverse square root of the root mean square error, each over its usual range.

    Relative for exp, reciprocal and inverse square root, absolute for GELU, whose values pass through zero.
    """
    return _error(asic.model_copy(update={"clock_ghz": 1.0}))


@lru_cache(maxsize=256)
def _error(asic: AsicSpec) -> float:
    ours, right = approximate(asic), exact()
    negative, centred = np.linspace(-8, 0, _POINTS, dtype=np.float32), np.linspace(-4, 4, _POINTS, dtype=np.float32)
    positive = np.geomspace(1e-2, 1e3, _POINTS, dtype=np.float32)
    errors = [
        _rms(ours.exp(negative) / right.exp(negative) - 1),
        _rms(ours.gelu(centred) - right.gelu(centred)),
        _rms(ours.reciprocal(positive) / right.reciprocal(positive) - 1),
        _rms(ours.rsqrt(positive) / right.rsqrt(positive) - 1),
    ]
    return float(sum(errors))


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(error.astype(np.float64)))))
