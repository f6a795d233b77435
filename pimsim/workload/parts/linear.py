"""Products and norms as every part uses them."""

from __future__ import annotations

from pimsim.config.decoder.norm import NormSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.linear import LinearShape
from pimsim.workload.kinds.norm import NormShape


def linear(
    graph: Collector, name: str, source: str, inputs: int, outputs: int, bias: bool = False, weight: str = "", offset: int = 0
) -> str:
    """A product with a stored matrix of its own; returns the operation's name."""
    tensor = weight or name
    graph.matrix(tensor, outputs, inputs, bias)
    return graph.op(name, "vmm", source, LinearShape(inputs, outputs, bias, offset), tensor)


def norm(
    graph: Collector, name: str, spec: NormSpec, source: str, width: int, groups: int = 1, own: bool = True, offset: int = 0
) -> str:
    """A norm of ``width`` elements in ``groups``, with weights for each (``own``) or for one of them; ``source`` if there is none."""
    if spec.kind == "none":
        return source
    stored = width if own else width // groups
    shape = NormShape(
        width, spec.epsilon, groups, stored if spec.scale else 0, stored if spec.biased else 0, spec.one_plus, offset
    )
    add_norm_vectors(graph, name, shape)
    return graph.op(name, f"{spec.kind}_norm", source, shape, name if spec.scale else "")


def add_norm_vectors(graph: Collector, name: str, shape: NormShape) -> None:
    """The stored vectors of a norm."""
    graph.norm_vector(f"{name}.scale", shape.scales)
    graph.norm_vector(f"{name}.shift", shape.shifts)


def norm_name(spec: NormSpec, place: str) -> str:
    """What a norm at ``place`` (1, 2, _f, _cross ...) is called: ``ln1`` or ``norm1``."""
    return ("ln" if spec.kind == "layer" else "norm") + place
