"""Choice of the next token, and what happens to logits before it."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class SelectShape:
    """The largest of ``width`` logits."""

    width: int


@dataclass(frozen=True)
class ScaleShape:
    """``width`` elements times ``factor``."""

    width: int
    factor: float


@dataclass(frozen=True)
class SoftCapShape:
    """``cap`` x tanh(x / ``cap``) of ``width`` elements."""

    width: int
    cap: float


@dataclass(frozen=True)
class ClipShape:
    """``width`` elements kept between minus and plus ``bound``."""

    width: int
    bound: float


class Select(OpKind):
    """Index of the largest."""

    name, shape = "select", SelectShape

    def element_work(self, shape: SelectShape, seen: int) -> int:
        return shape.width

    def activations(self, shape: SelectShape, seen: int) -> int:
        return shape.width


class _ElementWise(OpKind):
    work: int

    def element_work(self, shape: ScaleShape | SoftCapShape | ClipShape, seen: int) -> int:
        return self.work * shape.width

    def activations(self, shape: ScaleShape | SoftCapShape | ClipShape, seen: int) -> int:
        return 2 * shape.width


class Scale(_ElementWise):
    """Product with a constant."""

    name, shape, work = "scale", ScaleShape, 1


class SoftCap(_ElementWise):
    """Bounded by a hyperbolic tangent."""

    name, shape, work = "soft_cap", SoftCapShape, 7


class Clip(_ElementWise):
    """Bounded by comparisons."""

    name, shape, work = "clip", ClipShape, 2


KINDS = (Select(), Scale(), SoftCap(), Clip())
