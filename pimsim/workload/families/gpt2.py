"""GPT-2 and GPT-3 decoders: pre-norm LayerNorm, learned positions, biases, GELU, head tied to the embedding."""

from __future__ import annotations

from pimsim.config.workload import ModelSpec
from pimsim.workload.ops import (
    CONTEXT,
    EMBEDDING,
    GELU,
    KV_WRITE,
    LAYER_NORM,
    RESIDUAL,
    SCORES,
    SELECT,
    SOFTMAX,
    VMM,
    Op,
    Tensor,
)


def tensors(model: ModelSpec) -> list[Tensor]:
    """Every stored parameter tensor; the tied head is the token embedding and stored once."""
    d, ff, attention = model.d_model, model.d_ff, model.heads * model.head_width
    found = [Tensor("wte", model.vocabulary, d), Tensor("wpe", model.max_context, d)]
    for layer in range(model.layers):
        prefix = f"h{layer}"
        for name, outputs, inputs in (
            ("qkv", 3 * attention, d), ("proj", d, attention), ("ffn1", ff, d), ("ffn2", d, ff),
        ):  # fmt: skip
            found += [Tensor(f"{prefix}.{name}", outputs, inputs), Tensor(f"{prefix}.{name}.bias", outputs, 1)]
        for norm in ("ln1", "ln2"):
            found += [Tensor(f"{prefix}.{norm}.scale", d, 1), Tensor(f"{prefix}.{norm}.shift", d, 1)]
    found += [Tensor("ln_f.scale", d, 1), Tensor("ln_f.shift", d, 1)]
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
        ops += _layer(model, layer, stream, context)
        stream = ops[-1].name
    if with_head:
        head = "wte" if model.tied_embeddings else "lm_head"
        ops += [
            Op("ln_f", LAYER_NORM, (stream,), inputs=d, weight="ln_f", bias=True),
            Op("lm_head", VMM, ("ln_f",), inputs=d, outputs=model.vocabulary, weight=head),
            Op("select", SELECT, ("lm_head",), inputs=model.vocabulary),
        ]
    return ops


def _layer(model: ModelSpec, layer: int, stream: str, context: int) -> list[Op]:
    d, ff, width = model.d_model, model.d_ff, model.heads * model.head_width
    p = f"h{layer}."

    def op(name: str, kind: str, needs: tuple[str, ...], **fields: object) -> Op:
        return Op(p + name, kind, needs, layer=layer, **fields)  # type: ignore[arg-type]

    heads = {"heads": model.heads, "kv_heads": model.heads, "head_width": model.head_width, "context": context}
    return [
        op("ln1", LAYER_NORM, (stream,), inputs=d, weight=p + "ln1", bias=True),
        op("qkv", VMM, (p + "ln1",), inputs=d, outputs=3 * width, weight=p + "qkv", bias=True),
        op("k_write", KV_WRITE, (p + "qkv",), inputs=width, weight=p + "k", **heads),
        op("v_write", KV_WRITE, (p + "qkv",), inputs=width, weight=p + "v", **heads),
        op("scores", SCORES, (p + "qkv", p + "k_write"), inputs=width, weight=p + "k", **heads),
        op("softmax", SOFTMAX, (p + "scores",), inputs=model.heads * context, **heads),
        op("context", CONTEXT, (p + "softmax", p + "v_write"), weight=p + "v", outputs=width, **heads),
        op("proj", VMM, (p + "context",), inputs=width, outputs=d, weight=p + "proj", bias=True),
        op("residual1", RESIDUAL, (p + "proj", stream), inputs=d),
        op("ln2", LAYER_NORM, (p + "residual1",), inputs=d, weight=p + "ln2", bias=True),
        op("ffn1", VMM, (p + "ln2",), inputs=d, outputs=ff, weight=p + "ffn1", bias=True),
        op("gelu", GELU, (p + "ffn1",), inputs=ff),
        op("ffn2", VMM, (p + "gelu",), inputs=ff, outputs=d, weight=p + "ffn2", bias=True),
        op("residual2", RESIDUAL, (p + "ffn2", p + "residual1"), inputs=d),
    ]
