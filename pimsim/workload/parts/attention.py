"""Attention of any head layout: projections, norms and rotation of queries and keys, kept K and V, scores, and the way out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pimsim.config.decoder.mixers import AttentionSpec
from pimsim.config.decoder.positions import AlibiPositions, RelativeBuckets, RotaryPositions
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.attention import AttentionShape
from pimsim.workload.kinds.kv_write import CacheShape
from pimsim.workload.kinds.rope import RopeShape
from pimsim.workload.kinds.select import ClipShape, ScaleShape
from pimsim.workload.ops import Cache
from pimsim.workload.parts.linear import linear, norm
from pimsim.workload.parts.place import Place


@dataclass(frozen=True)
class _Vector:
    """A vector between operations: part of an operation's result."""

    op: str
    offset: int
    width: int


def attention(graph: Collector, spec: AttentionSpec, source: str, place: Place, prefix: str = "") -> str:
    """Self-attention of ``source``; returns the name of the output product. ``prefix`` tells two of one layer apart."""
    q_width, k_width = spec.heads * spec.head_width, spec.kv_heads * spec.head_width
    v_width = spec.kv_heads * spec.value_head_width
    q, k, v = _projections(graph, spec, source, place.width, prefix)
    q, k = _normed(graph, spec, q, k, prefix)
    if isinstance(place.positions, RotaryPositions) and spec.rotate:
        q = _rotated(graph, spec, q, spec.heads, place.positions, f"{prefix}rope_q")
        k = _rotated(graph, spec, k, spec.kv_heads, place.positions, f"{prefix}rope_k")
    kept = place.max_context if spec.window is None else min(spec.window, place.max_context)
    graph.caches += [
        Cache(f"{prefix}k", "key", spec.kv_heads, spec.head_width, kept),
        Cache(f"{prefix}v", "value", spec.kv_heads, spec.value_head_width, kept),
    ]
    window = spec.window
    key = graph.op(
        f"{prefix}k_write", "kv_write", k.op, CacheShape(spec.kv_heads, spec.head_width, k.offset, window), f"{prefix}k"
    )
    value = graph.op(
        f"{prefix}v_write",
        "kv_write",
        v.op,
        CacheShape(spec.kv_heads, spec.value_head_width, v.offset, window, True),
        f"{prefix}v",
    )
    assert (q.width, k.width, v.width) == (q_width, k_width, v_width)
    bias = place.positions if isinstance(place.positions, AlibiPositions | RelativeBuckets) else None
    shape = replace(_shape(spec), bias=bias, offset=q.offset, causal=place.causal, bias_table=place.bias_table if bias else "")
    return _attend(graph, spec, shape, (q.op, key), (value,), place.width, prefix)


def cross_attention(graph: Collector, spec: AttentionSpec, source: str, place: Place) -> str:
    """Attention to the encoder's output, whose K and V are kept; returns the name of the output product."""
    graph.caches += [
        Cache("cross_k", "key", spec.kv_heads, spec.head_width, place.encoder_tokens, of_encoder=True),
        Cache("cross_v", "value", spec.kv_heads, spec.value_head_width, place.encoder_tokens, of_encoder=True),
    ]
    query = linear(graph, "cross_q", source, place.width, spec.heads * spec.head_width, spec.bias, weight="cross_q_proj")
    shape = replace(_shape(spec), of_encoder=True, causal=False)
    return _attend(graph, spec, shape, (query,), (), place.width, "cross_")


def cross_keys_and_values(graph: Collector, spec: AttentionSpec, source: str, place: Place) -> None:
    """Keys and values of the encoder's output for one decoder layer: computed once, in the encoder's step."""
    for name, width, across in (("k", spec.head_width, False), ("v", spec.value_head_width, True)):
        bias = spec.bias and (spec.key_bias or across)
        product = linear(
            graph, f"cross_{name}", source, place.encoder_width, spec.kv_heads * width, bias, weight=f"cross_{name}_proj"
        )
        shape = CacheShape(spec.kv_heads, width, across=across, of_encoder=True)
        graph.op(f"cross_{name}_write", "kv_write", product, shape, f"cross_{name}")


def _shape(spec: AttentionSpec) -> AttentionShape:
    return AttentionShape(
        spec.heads, spec.kv_heads, spec.head_width, spec.value_head_width, spec.score_scale, spec.window, spec.soft_cap,
        sinks=spec.sinks,
    )  # fmt: skip


def _attend(
    graph: Collector, spec: AttentionSpec, shape: AttentionShape, query: tuple[str, ...], value: tuple[str, ...],
    width: int, prefix: str,
) -> str:  # fmt: skip
    scores = graph.op(f"{prefix}scores", "scores", query, shape, f"{prefix}k")
    if spec.sinks:
        graph.vector(f"{prefix}sinks", spec.heads)
    softmax = graph.op(f"{prefix}softmax", "softmax", scores, shape, f"{prefix}sinks" if spec.sinks else "")
    context = graph.op(f"{prefix}context", "context", (softmax, *value), shape, f"{prefix}v")
    out = linear(graph, f"{prefix}proj", context, spec.heads * spec.value_head_width, width, spec.out_bias)
    return out if spec.scale_out == 1.0 else graph.op(f"{prefix}scale_out", "scale", out, ScaleShape(width, spec.scale_out))


def _projections(graph: Collector, spec: AttentionSpec, source: str, width: int, prefix: str) -> tuple[_Vector, _Vector, _Vector]:
    q, k, v = spec.heads * spec.head_width, spec.kv_heads * spec.head_width, spec.kv_heads * spec.value_head_width
    if spec.fused:
        whole = _clipped(graph, spec, linear(graph, f"{prefix}qkv", source, width, q + k + v, spec.bias), q + k + v)
        return _Vector(whole, 0, q), _Vector(whole, q, k), _Vector(whole, q + k, v)
    found = []
    for name, outputs, bias in (("q", q, spec.bias), ("k", k, spec.bias and spec.key_bias), ("v", v, spec.bias)):
        product = linear(graph, prefix + name, source, width, outputs, bias, weight=f"{prefix}{name}_proj")
        found.append(_Vector(_clipped(graph, spec, product, outputs), 0, outputs))
    return found[0], found[1], found[2]


def _clipped(graph: Collector, spec: AttentionSpec, source: str, width: int) -> str:
    if spec.clip is None:
        return source
    return graph.op(f"{source}_clip", "clip", source, ClipShape(width, spec.clip))


def _normed(graph: Collector, spec: AttentionSpec, q: _Vector, k: _Vector, prefix: str) -> tuple[_Vector, _Vector]:
    if spec.qk_norm is None:
        return q, k
    found = []
    for name, vector, heads in (("q_norm", q, spec.heads), ("k_norm", k, spec.kv_heads)):
        groups = heads if spec.qk_norm.over == "head" else 1
        own = spec.qk_norm.own_weights or spec.qk_norm.over == "whole"
        result = norm(graph, prefix + name, spec.qk_norm.norm, vector.op, vector.width, groups, own, vector.offset)
        found.append(_Vector(result, 0, vector.width))
    return found[0], found[1]


def _rotated(
    graph: Collector, spec: AttentionSpec, vector: _Vector, heads: int, positions: RotaryPositions, name: str
) -> _Vector:
    rotated = positions.width or spec.head_width
    shape = RopeShape(heads, spec.head_width, rotated, positions, offset=vector.offset)
    return _Vector(graph.op(name, "rope", vector.op, shape), 0, vector.width)
