"""Layer normalisation and its variants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Floats
from pimsim.oracle.tensors import Tensors


@dataclass(frozen=True, eq=False)
class Norm:
    """Over the last axis: centred (LayerNorm) or not (RMS), then times ``weight`` and plus ``bias`` where there are any."""

    eps: float
    centred: bool
    weight: Floats | None = None
    bias: Floats | None = None

    def __call__(self, x: Floats) -> Floats:
        if self.centred:
            x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps)
        if self.weight is not None:
            x = x * self.weight
        return x if self.bias is None else x + self.bias


def layer_norm(tensors: Tensors, name: str, width: int, eps: float, bias: bool = True) -> Norm:
    """LayerNorm with ``name.weight`` and, if asked for, ``name.bias``."""
    shift = tensors.take(f"{name}.bias", width) if bias else None
    return Norm(eps, True, tensors.take(f"{name}.weight", width), shift)


def rms_norm(tensors: Tensors, name: str, width: int, eps: float, plus_one: bool = False) -> Norm:
    """RMS norm with ``name.weight``, or 1 + weight."""
    return Norm(eps, False, tensors.take(f"{name}.weight", width) + (1.0 if plus_one else 0.0))
