"""Gated products, alone and inside experts."""

from __future__ import annotations

import numpy as np

from pimsim.asic.numerics import QUICK_GELU, Numerics, activated
from pimsim.functional.bf16 import FloatArray
from pimsim.workload.kinds.activation import GatedShape


def gated(gate: FloatArray, value: FloatArray, shape: GatedShape, numerics: Numerics) -> FloatArray:
    """``function`` of the gates times the values; ``clamped_swiglu`` bounds both and adds one to the values."""
    if shape.gate_scale != 1.0:
        gate = gate * np.float32(shape.gate_scale)
    if shape.function == "clamped_swiglu":
        limit = np.float32(shape.limit)
        gate, value = np.minimum(gate, limit), np.clip(value, -limit, limit)
        return gate * numerics.sigmoid(QUICK_GELU * gate) * (value + np.float32(1))
    return activated(gate, shape.function, numerics) * value
