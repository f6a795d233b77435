"""Mamba and Mamba-2: product in, short convolution, state update, gate, product out."""

from __future__ import annotations

from pimsim.config.decoder.mixers import Mamba1Spec, Mamba2Spec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.activation import GatedShape
from pimsim.workload.kinds.norm import NormShape
from pimsim.workload.kinds.scaling import PartsScaleShape
from pimsim.workload.kinds.select import ScaleShape
from pimsim.workload.kinds.state_space import ConvShape, StateShape
from pimsim.workload.ops import Cache
from pimsim.workload.parts.linear import add_norm_vectors, linear, norm
from pimsim.workload.parts.place import Place


def mamba1(graph: Collector, spec: Mamba1Spec, source: str, place: Place, prefix: str = "") -> str:
    """Mamba; returns the name of the output product. The product in gives [x, gate]."""
    inner, state, rank = spec.inner_width, spec.state_width, spec.step_rank
    whole = linear(graph, f"{prefix}in_proj", source, place.width, 2 * inner, spec.bias)
    x = _convolved(graph, spec, whole, inner, 0, prefix)
    facts = linear(graph, f"{prefix}x_proj", x, inner, rank + 2 * state)
    step_in, b, c, b_offset, c_offset = facts, facts, facts, rank, rank + state
    if spec.inner_norm is not None:
        step_in = norm(graph, f"{prefix}step_norm", spec.inner_norm, facts, rank)
        b = norm(graph, f"{prefix}b_norm", spec.inner_norm, facts, state, offset=rank)
        c = norm(graph, f"{prefix}c_norm", spec.inner_norm, facts, state, offset=rank + state)
        b_offset = c_offset = 0
    step = linear(graph, f"{prefix}step_proj", step_in, rank, inner, True)
    graph.vector(f"{prefix}a_log", inner * state)
    graph.vector(f"{prefix}d", inner)
    _keep(graph, f"{prefix}state", inner, state, spec.state_in)
    shape = StateShape("mamba1", inner, inner, state, 1, 0, 0, b_offset, c_offset, cache=f"{prefix}state")
    y = graph.op(f"{prefix}state_update", "state_update", (x, step, b, c), shape, f"{prefix}a_log")
    gated = graph.op(f"{prefix}gate", "gated_activation", (whole, y), GatedShape(inner, spec.activation, gate_offset=inner))
    return linear(graph, f"{prefix}out_proj", gated, inner, place.width, spec.bias)


def mamba2(graph: Collector, spec: Mamba2Spec, source: str, place: Place, prefix: str = "") -> str:
    """Mamba-2; returns the name of the output product. The product in gives [gate, x, B, C, step]."""
    inner, shared = spec.inner_width, spec.groups * spec.state_width
    if spec.scale_in != 1.0:
        source = graph.op(f"{prefix}scale_in", "scale", source, ScaleShape(place.width, spec.scale_in))
    outputs = inner + spec.conv_channels + spec.heads
    whole = linear(graph, f"{prefix}in_proj", source, place.width, outputs, spec.bias)
    if spec.multipliers is not None:
        widths = (inner, inner, shared, shared, spec.heads)
        shape = PartsScaleShape(widths, tuple(spec.multipliers))
        whole = graph.op(f"{prefix}in_scale", "scale_parts", whole, shape)
    x = _convolved(graph, spec, whole, spec.conv_channels, inner, prefix)
    for name in ("step_bias", "a_log", "d"):
        graph.vector(f"{prefix}{name}", spec.heads)
    _keep(graph, f"{prefix}state", inner, spec.state_width, spec.state_in)
    update = StateShape(
        "mamba2", spec.heads, inner, spec.state_width, spec.groups, 0, inner + spec.conv_channels, inner, inner + shared,
        spec.step_limit, f"{prefix}state",
    )  # fmt: skip
    y = graph.op(f"{prefix}state_update", "state_update", (x, whole, x, x), update, f"{prefix}a_log")
    gated = _gated(graph, spec, y, whole, prefix)
    out = linear(graph, f"{prefix}out_proj", gated, inner, place.width, spec.bias)
    if spec.scale_out == 1.0:
        return out
    return graph.op(f"{prefix}scale_out", "scale", out, ScaleShape(place.width, spec.scale_out))


def _gated(graph: Collector, spec: Mamba2Spec, y: str, whole: str, prefix: str) -> str:
    inner, wanted = spec.inner_width, spec.gated_norm
    if wanted is None:
        return graph.op(f"{prefix}gate", "gated_activation", (whole, y), GatedShape(inner, spec.activation))
    shape = NormShape(
        inner, wanted.epsilon, spec.norm_groups, inner if wanted.scale else 0, inner if wanted.biased else 0, wanted.one_plus,
        gated=True, norm_before_gate=spec.norm_before_gate, gate_activation=spec.activation,
    )  # fmt: skip
    add_norm_vectors(graph, f"{prefix}gated_norm", shape)
    return graph.op(f"{prefix}gated_norm", f"{wanted.kind}_norm", (y, whole), shape, f"{prefix}gated_norm")


def _convolved(graph: Collector, spec: Mamba1Spec | Mamba2Spec, source: str, channels: int, offset: int, prefix: str) -> str:
    graph.vector(f"{prefix}conv", channels * spec.conv_width)
    if spec.conv_bias:
        graph.vector(f"{prefix}conv.bias", channels)
    _keep(graph, f"{prefix}conv_state", channels, spec.conv_width, spec.state_in)
    shape = ConvShape(channels, spec.conv_width, spec.conv_bias, spec.activation, offset, f"{prefix}conv_state")
    return graph.op(f"{prefix}conv", "conv", source, shape, f"{prefix}conv")


def _keep(graph: Collector, name: str, rows: int, width: int, where: str) -> None:
    graph.caches.append(Cache(name, "state", rows, width, 1, in_asic=where == "asic"))
