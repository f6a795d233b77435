"""Norms over a vector or over equal groups of it."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class NormShape:
    """``groups`` vectors of ``width / groups`` elements, each normed by itself.

    ``scales``: stored weights (0: none; fewer than ``width``: the groups share them), ``shifts`` the same for what is added. ``offset``:
    where its input begins in the operand. ``gated``: the second operand, through ``gate_activation``, multiplies the input
    (``norm_before_gate``: the output) from ``gate_offset`` on.
    """

    width: int
    epsilon: float = 1e-5
    groups: int = 1
    scales: int = 0
    shifts: int = 0
    one_plus: bool = False
    offset: int = 0
    gated: bool = False
    norm_before_gate: bool = False
    gate_activation: str = "silu"
    gate_offset: int = 0


class _Norm(OpKind):
    shape = NormShape
    work: int

    def element_work(self, shape: NormShape, seen: int) -> int:
        return (self.work + (6 if shape.gated else 0)) * shape.width

    def weights(self, shape: NormShape) -> int:
        return shape.scales + shape.shifts

    def activations(self, shape: NormShape, seen: int) -> int:
        return (3 if shape.gated else 2) * shape.width


class LayerNorm(_Norm):
    """Mean, variance, inverse square root, then scale and shift."""

    name, work = "layer_norm", 8


class RmsNorm(_Norm):
    """Mean square, inverse square root, then scale."""

    name, work = "rms_norm", 4


KINDS = (LayerNorm(), RmsNorm())
