"""What hub files call the tensors of a graph: for each, the names it goes by, in the order in which they are looked for.

Names inside a layer come after the layer's number; ``{}`` stands for an expert's number. Some names end in ``.weight``, which is left out.
"""

from __future__ import annotations

_ATTENTION = ("self_attn.{}_proj", "attn.attention.{}_proj", "attn.{}_proj", "layer.0.SelfAttention.{}")
_CROSS = ("encoder_attn.{}_proj", "layer.1.EncDecAttention.{}")
_GATED = ("mlp.{}_proj", "feed_forward.{}_proj")
_T5 = ("layer.2.DenseReluDense.{}", "layer.1.DenseReluDense.{}")
_EXPERTS = ("mlp.experts.{{}}.{}_proj", "feed_forward.experts.{{}}.{}_proj")
_SHARED = ("mlp.shared_expert.{}_proj", "mlp.shared_experts.{}_proj")
_STATE_SPACE = ("mamba.{}", "mixer.{}")


def _with(patterns: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(pattern.format(name) for pattern in patterns)


_FIRST_NORM = (
    "input_layernorm", "ln_1", "ln_attn", "self_attn_layer_norm", "norm_1", "layer.0.layer_norm", "norm",
)  # fmt: skip
_SECOND_NORM = (
    "pre_feedforward_layernorm", "pre_ff_layernorm", "post_attention_layernorm", "ln_2", "ln_mlp", "final_layer_norm", "norm_2",
    "layer.2.layer_norm", "layer.1.layer_norm",
)  # fmt: skip
_CROSS_NORM = ("encoder_attn_layer_norm", "layer.1.layer_norm")

IN_LAYERS: dict[str, tuple[str, ...]] = {
    "qkv": (
        "attn.c_attn", "self_attention.query_key_value", "attention.query_key_value", "attn.Wqkv", "self_attn.qkv_proj", "attn.qkv_proj",
    ),
    **{f"{name}_proj": _with(_ATTENTION, name) for name in "qkv"},
    "proj": (
        "self_attn.o_proj", "self_attn.out_proj", "self_attn.dense", "attn.c_proj", "attn.attention.out_proj", "attn.out_proj",
        "self_attention.dense", "attention.dense", "layer.0.SelfAttention.o",
    ),
    **{f"cross_{name}_proj": _with(_CROSS, name) for name in "qkv"},
    "cross_proj": ("encoder_attn.out_proj", "layer.1.EncDecAttention.o"),
    "q_norm": ("self_attn.q_norm", "self_attn.q_layernorm", "self_attn.q_a_layernorm"),
    "k_norm": ("self_attn.k_norm", "self_attn.k_layernorm"),
    "q_down": ("self_attn.q_a_proj",),
    "q_up": ("self_attn.q_b_proj",),
    "kv_down": ("self_attn.kv_a_proj_with_mqa",),
    "kv_norm": ("self_attn.kv_a_layernorm",),
    "kv_up": ("self_attn.kv_b_proj",),
    "ffn1": (
        "mlp.c_fc", "mlp.fc1", "fc1", "mlp.fc_in", "mlp.dense_h_to_4h", "ffn.up_proj", *_with(_T5, "wi"), "mlp.up_proj",
    ),
    "ffn2": (
        "mlp.c_proj", "mlp.fc2", "fc2", "mlp.fc_out", "mlp.dense_4h_to_h", "ffn.down_proj", *_with(_T5, "wo"), "mlp.down_proj",
    ),
    "gate": (*_with(_GATED, "gate"), *_with(_T5, "wi_0")),
    "up": (*_with(_GATED, "up"), *_with(_T5, "wi_1")),
    "down": (*_with(_GATED, "down"), *_with(_T5, "wo")),
    "gate_up": ("mlp.gate_up_proj",),
    "router": ("block_sparse_moe.gate", "mlp.gate", "feed_forward.router", "mlp.router"),
    "router.correction": ("mlp.gate.e_score_correction_bias",),
    **{
        f"expert_{name}": (*_with(_EXPERTS, name), f"block_sparse_moe.experts.{{}}.{short}")
        for name, short in (("gate", "w1"), ("up", "w3"), ("down", "w2"))
    },
    **{f"shared_{name}": _with(_SHARED, name) for name in ("gate", "up", "down")},
    "shared_router": ("mlp.shared_expert_gate",),
    **{
        ours: _with(_STATE_SPACE, theirs)
        for ours, theirs in (
            ("in_proj", "in_proj"), ("conv", "conv1d"), ("x_proj", "x_proj"), ("step_proj", "dt_proj"), ("a_log", "A_log"), ("d", "D"),
            ("step_bias", "dt_bias"), ("out_proj", "out_proj"), ("step_norm", "dt_layernorm"), ("b_norm", "b_layernorm"),
            ("c_norm", "c_layernorm"), ("gated_norm", "norm"),
        )
    },
    "ln1": _FIRST_NORM,
    "norm1": _FIRST_NORM,
    "ln2": _SECOND_NORM,
    "norm2": _SECOND_NORM,
    "ln_cross": _CROSS_NORM,
    "norm_cross": _CROSS_NORM,
    **{f"post_{norm}1": ("post_attention_layernorm",) for norm in ("ln", "norm")},
    **{f"post_{norm}2": ("post_feedforward_layernorm",) for norm in ("ln", "norm")},
}  # fmt: skip

_LAST_NORM = ("ln_f", "norm", "final_layernorm", "final_layer_norm", "norm_f")
_EMBEDDING_NORM = ("word_embeddings_layernorm", "layernorm_embedding")
OUTSIDE_LAYERS: dict[str, tuple[str, ...]] = {
    "wte": ("embed_tokens", "wte", "word_embeddings", "embed_in", "shared", "embeddings"),
    "wpe": ("wpe", "embed_positions"),
    "lm_head": ("lm_head", "embed_out"),
    "ln_f": _LAST_NORM,
    "norm_f": _LAST_NORM,
    "ln_embedding": _EMBEDDING_NORM,
    "norm_embedding": _EMBEDDING_NORM,
}
TIED_HEAD_BIAS = "final_logits_bias"
RELATIVE_BIAS = "layer.0.SelfAttention.relative_attention_bias"
