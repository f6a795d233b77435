"""Llama-like decoders: pre-norm RMSNorm, rotary positions, grouped-query attention, gated feed-forward.

Covers Llama 2 and 3, Mistral, Qwen2.5 (``qkv_bias``) and, with its gate's GELU counted as SwiGLU's SiLU, Gemma.
"""

from __future__ import annotations

from typing import Any

from pimsim.config.workload import ModelSpec
from pimsim.workload.ops import (
    CONTEXT,
    EMBEDDING,
    KV_WRITE,
    RESIDUAL,
    RMS_NORM,
    ROPE,
    SCORES,
    SELECT,
    SOFTMAX,
    SWIGLU,
    VMM,
    Op,
    Tensor,
)


def tensors(model: ModelSpec) -> list[Tensor]:
    """Every stored parameter tensor; a tied head is the token embedding and stored once."""
    d, ff = model.d_model, model.d_ff
    q_width, kv_width = model.heads * model.head_width, model.key_value_heads * model.head_width
    found = [Tensor("wte", model.vocabulary, d)]
    for layer in range(model.layers):
        p = f"h{layer}."
        found += [Tensor(p + "q", q_width, d), Tensor(p + "k", kv_width, d), Tensor(p + "v", kv_width, d)]
        if model.qkv_bias:
            found += [Tensor(f"{p}{name}.bias", width, 1) for name, width in (("q", q_width), ("k", kv_width), ("v", kv_width))]
        found += [Tensor(p + "proj", d, q_width)]
        found += [Tensor(p + "gate", ff, d), Tensor(p + "up", ff, d), Tensor(p + "down", d, ff)]
        found += [Tensor(p + "norm1.scale", d, 1), Tensor(p + "norm2.scale", d, 1)]
    found.append(Tensor("norm_f.scale", d, 1))
    if not model.tied_embeddings:
        found.append(Tensor("lm_head", model.vocabulary, d))
    return found


def decoder_step(model: ModelSpec, context: int, with_head: bool) -> list[Op]:
    """Operations for one token when ``context`` tokens (itself included) are attended to, in issue order.

    ``with_head`` adds final norm, LM head and token selection; prompt tokens but the last go without.
    """
    d = model.d_model
    ops = [Op("embedding", EMBEDDING, (), inputs=d, weight="wte")]
    stream = "embedding"
    for layer in range(model.layers):
        ops += _attention(model, layer, stream, context)
        ops += _feed_forward(model, layer, ops[-1].name)
        stream = ops[-1].name
    if with_head:
        head = "wte" if model.tied_embeddings else "lm_head"
        ops += [
            Op("norm_f", RMS_NORM, (stream,), inputs=d, weight="norm_f"),
            Op("lm_head", VMM, ("norm_f",), inputs=d, outputs=model.vocabulary, weight=head),
            Op("select", SELECT, ("lm_head",), inputs=model.vocabulary),
        ]
    return ops


def _attention(model: ModelSpec, layer: int, stream: str, context: int) -> list[Op]:
    d, p, bias = model.d_model, f"h{layer}.", model.qkv_bias
    q_width, kv_width = model.heads * model.head_width, model.key_value_heads * model.head_width
    heads: dict[str, Any] = {
        "heads": model.heads,
        "kv_heads": model.key_value_heads,
        "head_width": model.head_width,
        "context": context,
    }
    norm = (p + "norm1",)
    return [
        Op(p + "norm1", RMS_NORM, (stream,), layer, inputs=d, weight=p + "norm1"),
        Op(p + "q", VMM, norm, layer, inputs=d, outputs=q_width, weight=p + "q", bias=bias),
        Op(p + "k", VMM, norm, layer, inputs=d, outputs=kv_width, weight=p + "k", bias=bias),
        Op(p + "v", VMM, norm, layer, inputs=d, outputs=kv_width, weight=p + "v", bias=bias),
        Op(p + "rope_q", ROPE, (p + "q",), layer, inputs=q_width),
        Op(p + "rope_k", ROPE, (p + "k",), layer, inputs=kv_width),
        Op(p + "k_write", KV_WRITE, (p + "rope_k",), layer, inputs=kv_width, weight=p + "k_cache", **heads),
        Op(p + "v_write", KV_WRITE, (p + "v",), layer, inputs=kv_width, weight=p + "v_cache", **heads),
        Op(p + "scores", SCORES, (p + "rope_q", p + "k_write"), layer, inputs=q_width, weight=p + "k_cache", **heads),
        Op(p + "softmax", SOFTMAX, (p + "scores",), layer, inputs=model.heads * context, **heads),
        Op(p + "context", CONTEXT, (p + "softmax", p + "v_write"), layer, weight=p + "v_cache", outputs=q_width, **heads),
        Op(p + "proj", VMM, (p + "context",), layer, inputs=q_width, outputs=d, weight=p + "proj"),
        Op(p + "residual1", RESIDUAL, (p + "proj", stream), layer, inputs=d),
    ]  # fmt: skip


def _feed_forward(model: ModelSpec, layer: int, stream: str) -> list[Op]:
    d, ff, p = model.d_model, model.d_ff, f"h{layer}."
    return [
        Op(p + "norm2", RMS_NORM, (stream,), layer, inputs=d, weight=p + "norm2"),
        Op(p + "gate", VMM, (p + "norm2",), layer, inputs=d, outputs=ff, weight=p + "gate"),
        Op(p + "up", VMM, (p + "norm2",), layer, inputs=d, outputs=ff, weight=p + "up"),
        Op(p + "swiglu", SWIGLU, (p + "gate", p + "up"), layer, inputs=ff),
        Op(p + "down", VMM, (p + "swiglu",), layer, inputs=ff, outputs=d, weight=p + "down"),
        Op(p + "residual2", RESIDUAL, (p + "down", stream), layer, inputs=d),
    ]
