"""Sums of a branch, or of several, with the residual stream."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class ResidualShape:
    """``terms`` vectors of ``width`` added; all but the last, the stream, are multiplied by ``scale`` first."""

    width: int
    terms: int = 2
    scale: float = 1.0


class Residual(OpKind):
    """Element-wise sum."""

    name, shape = "residual", ResidualShape

    def element_work(self, shape: ResidualShape, seen: int) -> int:
        scaled = 0 if shape.scale == 1.0 else 1
        return (shape.terms - 1) * (1 + scaled) * shape.width

    def activations(self, shape: ResidualShape, seen: int) -> int:
        return (shape.terms + 1) * shape.width


KINDS = (Residual(),)
