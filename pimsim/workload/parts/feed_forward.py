"""Dense and gated feed-forward parts."""

from __future__ import annotations

from pimsim.config.decoder.feed_forward import DenseSpec, GatedSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.activation import ActivationShape, GatedShape
from pimsim.workload.kinds.select import ScaleShape
from pimsim.workload.parts.linear import linear

# Usual names of gated activations.
GATED_NAMES = {"silu": "swiglu", "gelu": "geglu", "gelu_erf": "geglu", "relu": "reglu", "sigmoid": "glu", "identity": "bilinear"}


def dense(graph: Collector, spec: DenseSpec, source: str, width: int) -> str:
    """Product, activation, product; returns the name of the last."""
    inner = linear(graph, "ffn1", source, width, spec.width, spec.bias)
    if spec.activation != "identity":
        name = "gelu" if spec.activation == "gelu_erf" else spec.activation
        inner = graph.op(name, "activation", inner, ActivationShape(spec.width, spec.activation))
    return linear(graph, "ffn2", inner, spec.width, width, spec.bias)


def gated(graph: Collector, spec: GatedSpec, source: str, width: int) -> str:
    """Gate and up side by side, their product, and the product back; returns the name of the last."""
    if spec.fused:
        operands: tuple[str, ...] = (linear(graph, "gate_up", source, width, 2 * spec.width, spec.bias),)
    else:
        operands = tuple(linear(graph, name, source, width, spec.width, spec.bias) for name in ("gate", "up"))
    shape = GatedShape(spec.width, spec.activation, 0, spec.width if spec.fused else 0, spec.gate_scale)
    inner = graph.op(GATED_NAMES.get(spec.activation, f"{spec.activation}_gate"), "gated_activation", operands, shape)
    down = linear(graph, "down", inner, spec.width, width, spec.bias)
    if spec.down_scale == 1.0:
        return down
    return graph.op("down_scale", "scale", down, ScaleShape(width, spec.down_scale))
