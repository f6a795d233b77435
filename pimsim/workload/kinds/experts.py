"""Mixtures of experts: the choice, products with the chosen experts' matrices, and the weighted sum of what they give."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.decoder.feed_forward import RouterSpec
from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class RouteShape:
    """``chosen`` of ``experts`` from the router's product, by ``router``; ``<weight>`` is the stored correction if there is one."""

    experts: int
    chosen: int
    router: RouterSpec


@dataclass(frozen=True)
class ExpertLinearShape:
    """The chosen experts' matrices of ``outputs`` rows of ``inputs``: tensors ``<weight>.<expert>``.

    The first operand is the vector: one for all of them, or (``own_inputs``) one for each, end to end. The last operand is the choice.
    """

    experts: int
    chosen: int
    inputs: int
    outputs: int
    bias: bool = False
    own_inputs: bool = False


@dataclass(frozen=True)
class CombineShape:
    """Sum of ``chosen`` vectors of ``width``, each times its expert's weight; operands: vectors, choice.

    ``shared``: a third operand is added; ``shared_gate``: times the sigmoid of a fourth (one number).
    """

    width: int
    chosen: int
    shared: bool = False
    shared_gate: bool = False


class Route(OpKind):
    """Scores, the best of them, and their weights."""

    name, shape = "route", RouteShape

    def element_work(self, shape: RouteShape, seen: int) -> int:
        return (5 + shape.chosen) * shape.experts

    def weights(self, shape: RouteShape) -> int:
        return shape.experts if shape.router.correction else 0

    def activations(self, shape: RouteShape, seen: int) -> int:
        return shape.experts + 2 * shape.chosen


class ExpertLinear(OpKind):
    """Products with one matrix of each chosen expert."""

    name, shape = "expert_vmm", ExpertLinearShape

    def macs(self, shape: ExpertLinearShape, seen: int) -> int:
        return shape.chosen * shape.inputs * shape.outputs

    def element_work(self, shape: ExpertLinearShape, seen: int) -> int:
        return shape.chosen * shape.outputs if shape.bias else 0

    def weights(self, shape: ExpertLinearShape) -> int:
        return shape.chosen * (shape.inputs * shape.outputs + (shape.outputs if shape.bias else 0))

    def weights_of_rows(self, shape: ExpertLinearShape, rows: int) -> float:
        """Of several rows, each choosing by itself and evenly: the experts that at least one of them chose, on average."""
        met = shape.experts * (1 - (1 - shape.chosen / shape.experts) ** rows)
        return self.weights(shape) * met / shape.chosen

    def activations(self, shape: ExpertLinearShape, seen: int) -> int:
        return (shape.chosen if shape.own_inputs else 1) * shape.inputs + shape.chosen * shape.outputs


class Combine(OpKind):
    """Weighted sum of the experts' outputs."""

    name, shape = "combine", CombineShape

    def element_work(self, shape: CombineShape, seen: int) -> int:
        return (2 * shape.chosen + int(shape.shared) + int(shape.shared_gate)) * shape.width

    def activations(self, shape: CombineShape, seen: int) -> int:
        return (shape.chosen + int(shape.shared) + 1) * shape.width


KINDS = (Route(), ExpertLinear(), Combine())
