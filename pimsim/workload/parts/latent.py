"""Latent attention: the latent is kept; queries fold into its space, and values unfold from the weighted sum of latents."""

from __future__ import annotations

from pimsim.config.decoder.mixers import LatentAttentionSpec
from pimsim.config.decoder.positions import RotaryPositions
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.attention import AttentionShape
from pimsim.workload.kinds.kv_write import CacheShape
from pimsim.workload.kinds.latent import HeadLinearShape
from pimsim.workload.kinds.rope import RopeShape
from pimsim.workload.ops import Cache, Tensor
from pimsim.workload.parts.linear import linear, norm
from pimsim.workload.parts.place import Place


def latent_attention(graph: Collector, spec: LatentAttentionSpec, source: str, place: Place, prefix: str = "") -> str:
    """Latent attention of ``source``; returns the name of the output product."""
    latent, rotary = spec.latent_width, spec.rotary_width
    q = _queries(graph, spec, source, place.width, prefix)
    down = linear(graph, f"{prefix}kv_down", source, place.width, latent + rotary, spec.bias)
    kept = norm(graph, f"{prefix}kv_norm", spec.inner_norm, down, latent)
    rope_q, rope_k = q, down
    if isinstance(place.positions, RotaryPositions):
        turned = RopeShape(spec.heads, spec.head_width, rotary, place.positions, first=spec.plain_width)
        rope_q = graph.op(f"{prefix}rope_q", "rope", q, turned)
        rope_k = graph.op(f"{prefix}rope_k", "rope", down, RopeShape(1, rotary, rotary, place.positions, offset=latent))
    graph.caches += [
        Cache(f"{prefix}k", "key", 1, latent + rotary, place.max_context),
        Cache(f"{prefix}v", "value", 1, latent, place.max_context, copy=True),
    ]
    key = graph.op(f"{prefix}k_write", "kv_write", (kept, rope_k), CacheShape(1, latent + rotary), f"{prefix}k")
    value = graph.op(f"{prefix}v_write", "kv_write", kept, CacheShape(1, latent, across=True), f"{prefix}v")
    graph.matrices.append(Tensor(f"{prefix}k_up", spec.heads * latent, spec.plain_width))
    fold = HeadLinearShape(spec.heads, spec.plain_width, latent, spec.head_width)
    folded = graph.op(f"{prefix}q_fold", "head_vmm", q, fold, f"{prefix}k_up")
    shape = AttentionShape(spec.heads, 1, latent + rotary, latent, spec.score_scale, latent=True)
    scores = graph.op(f"{prefix}scores", "scores", (folded, rope_q, key), shape, f"{prefix}k")
    softmax = graph.op(f"{prefix}softmax", "softmax", scores, shape)
    mixed = graph.op(f"{prefix}context", "context", (softmax, value), shape, f"{prefix}v")
    graph.matrices.append(Tensor(f"{prefix}v_up", spec.heads * spec.value_width, latent))
    unfold = HeadLinearShape(spec.heads, latent, spec.value_width, latent)
    values = graph.op(f"{prefix}v_unfold", "head_vmm", mixed, unfold, f"{prefix}v_up")
    return linear(graph, f"{prefix}proj", values, spec.heads * spec.value_width, place.width, spec.bias)


def _queries(graph: Collector, spec: LatentAttentionSpec, source: str, width: int, prefix: str) -> str:
    outputs = spec.heads * spec.head_width
    if spec.query_latent_width is None:
        return linear(graph, f"{prefix}q", source, width, outputs, weight=f"{prefix}q_proj")
    down = linear(graph, f"{prefix}q_down", source, width, spec.query_latent_width, spec.bias)
    normed = norm(graph, f"{prefix}q_norm", spec.inner_norm, down, spec.query_latent_width)
    return linear(graph, f"{prefix}q", normed, spec.query_latent_width, outputs, weight=f"{prefix}q_up")
