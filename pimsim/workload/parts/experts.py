"""Mixtures of experts: router, choice, the chosen experts, shared experts, and the sum."""

from __future__ import annotations

from pimsim.config.decoder.feed_forward import ExpertsSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.activation import ActivationShape, GatedShape
from pimsim.workload.kinds.experts import CombineShape, ExpertLinearShape, RouteShape
from pimsim.workload.parts.linear import linear


def experts(graph: Collector, spec: ExpertsSpec, source: str, width: int) -> str:
    """A mixture of experts; returns the name of the sum."""
    router = linear(graph, "router", source, width, spec.count, spec.router.bias)
    if spec.router.correction:
        graph.vector("router.correction", spec.count, counted=False)
    choice = graph.op(
        "route",
        "route",
        router,
        RouteShape(spec.count, spec.chosen, spec.router),
        "router.correction" if spec.router.correction else "",
    )
    names = ("gate", "up") if spec.gated else ("up",)
    inner = tuple(_product(graph, spec, f"expert_{name}", (source, choice), width, spec.width, False) for name in names)
    total = spec.chosen * spec.width
    if spec.gated:
        middle = graph.op("expert_act", "gated_activation", inner, GatedShape(total, spec.activation, limit=spec.limit))
    else:
        middle = graph.op("expert_act", "activation", inner, ActivationShape(total, spec.activation))
    down = _product(graph, spec, "expert_down", (middle, choice), spec.width, width, True)
    operands = [down, choice, *_shared(graph, spec, source, width)]
    return graph.op(
        "combine", "combine", tuple(operands), CombineShape(width, spec.chosen, spec.shared_width > 0, spec.shared_gate)
    )


def _product(graph: Collector, spec: ExpertsSpec, name: str, needs: tuple[str, str], inputs: int, outputs: int, own: bool) -> str:
    for expert in range(spec.count):
        graph.matrix(f"{name}.{expert}", outputs, inputs, spec.bias)
    shape = ExpertLinearShape(spec.count, spec.chosen, inputs, outputs, spec.bias, own)
    return graph.op(name, "expert_vmm", needs, shape, name)


def _shared(graph: Collector, spec: ExpertsSpec, source: str, width: int) -> list[str]:
    if not spec.shared_width:
        return []
    if spec.gated:
        sides = tuple(linear(graph, f"shared_{name}", source, width, spec.shared_width) for name in ("gate", "up"))
        middle = graph.op("shared_act", "gated_activation", sides, GatedShape(spec.shared_width, spec.activation))
    else:
        side = linear(graph, "shared_up", source, width, spec.shared_width)
        middle = graph.op("shared_act", "activation", side, ActivationShape(spec.shared_width, spec.activation))
    found = [linear(graph, "shared_down", middle, spec.shared_width, width)]
    if spec.shared_gate:
        found.append(linear(graph, "shared_router", source, width, 1))
    return found
