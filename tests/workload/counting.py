"""Parameters and multiply-accumulates of both families, written out from the papers' shapes without the operation graph."""

from __future__ import annotations

from pimsim.config.short_forms import ModelSpec


def gpt2_parameters(m: ModelSpec) -> int:
    """Embeddings, then each layer's attention, feed-forward and two norms, with biases; final norm; untied head."""
    d, width = m.d_model, m.heads * (m.d_head or m.d_model // m.heads)
    attention = d * 3 * width + 3 * width + width * d + d
    feed_forward = d * m.d_ff + m.d_ff + m.d_ff * d + d
    head = 0 if m.tied_embeddings else m.vocabulary * d
    return m.vocabulary * d + m.max_context * d + m.layers * (attention + feed_forward + 4 * d) + 2 * d + head


def llama_parameters(m: ModelSpec) -> int:
    """Embedding, then each layer's grouped-query attention, gated feed-forward and two scales; final scale; untied head."""
    d, head_width = m.d_model, m.d_head or m.d_model // m.heads
    kv = (m.kv_heads or m.heads) * head_width
    attention = 2 * d * m.heads * head_width + 2 * d * kv + (m.heads * head_width + 2 * kv if m.qkv_bias else 0)
    head = 0 if m.tied_embeddings else m.vocabulary * d
    return m.vocabulary * d + m.layers * (attention + 3 * d * m.d_ff + 2 * d) + d + head


def step_macs(m: ModelSpec, context: int) -> int:
    """Multiply-accumulates of one step with LM head: every matrix once, every query head against ``context`` keys and values."""
    d, head_width = m.d_model, m.d_head or m.d_model // m.heads
    width, kv = m.heads * head_width, (m.kv_heads or m.heads) * head_width
    matrices = 3 if m.family == "llama" else 2
    layer = d * (width + 2 * kv) + width * d + matrices * d * m.d_ff + 2 * width * context
    return m.layers * layer + m.vocabulary * d
