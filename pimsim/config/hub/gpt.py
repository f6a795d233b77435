"""Architectures after GPT-2: LayerNorm, mostly learned positions, biases."""

from __future__ import annotations

from typing import Any

from pimsim.config.decoder.model import merged
from pimsim.config.hub.common import activation, attention, head, layer_norm, pattern, sizes
from pimsim.config.hub.reader import HubConfig
from pimsim.config.hub.rotary import rotary

Parts = dict[str, Any]


def gpt2(hub: HubConfig) -> Parts:
    """GPT-2: learned positions, fused Q, K and V."""
    hub.refuse("add_cross_attention", False)
    hub.refuse("scale_attn_by_inverse_layer_idx", False)
    hub.refuse("scale_attn_weights", True)
    hub.ignore("n_ctx", "add_cross_attention")
    size = sizes(hub, "n_positions")
    mixer = attention(hub, size["d_model"]) | {"bias": True, "out_bias": True, "fused": True}
    return size | {
        "positions": {"kind": "learned", "rows": hub.whole("n_positions")},
        "norm": layer_norm(hub, "layer_norm_epsilon"),
        "mixer": mixer,
        "feed_forward": _dense(hub, size["d_model"], "n_inner", "activation_function", "gelu_new"),
        "head": head(hub, True),
    }


def gpt_bigcode(hub: HubConfig) -> Parts:
    """StarCoder: GPT-2 with one K and V head."""
    shared = hub.flag("multi_query", default=True)
    hub.ignore("num_key_value_heads")
    change = {"mixer": {"kv_heads": 1, "stored_order": "q_k_v"}} if shared else {"mixer": {"stored_order": "by_head"}}
    parts = gpt2(hub)
    if not shared:
        change["mixer"]["kv_heads"] = parts["mixer"]["heads"]
    return merged(parts, change)  # type: ignore[no-any-return]


def gpt_neo(hub: HubConfig) -> Parts:
    """GPT-Neo: layers with and without a window in turn, scores not scaled."""
    size = sizes(hub)
    kinds = _gpt_neo_layers(hub, size["layers"])
    mixer = attention(hub, size["d_model"]) | {"out_bias": True, "scale": 1.0}
    blocks = {"global": {}, "local": {"mixer": {"window": hub.whole("window_size", default=256)}}}
    return size | {
        "positions": {"kind": "learned", "rows": hub.whole("max_position_embeddings")},
        "norm": layer_norm(hub, "layer_norm_epsilon"),
        "mixer": mixer,
        "feed_forward": _dense(hub, size["d_model"], "intermediate_size", "activation_function", "gelu_new"),
        "head": head(hub, True),
        "blocks": {name: blocks[name] for name in dict.fromkeys(kinds)},
        "pattern": pattern(kinds),
    }


def _gpt_neo_layers(hub: HubConfig, layers: int) -> list[str]:
    kinds = hub.texts("attention_layers", default=None)
    types = hub.raw("attention_types", default=[[["global", "local"], layers // 2]])
    if kinds is None:
        try:
            kinds = [kind for names, times in types for kind in list(names) * times]
        except (TypeError, ValueError):
            raise hub.wrong("attention_types", "must be a list of [kinds of layers, how often]") from None
    if len(kinds) != layers or not set(kinds) <= {"global", "local"}:
        raise hub.wrong("attention_types", f"must name 'global' or 'local' for each of {layers} layers")
    return kinds


def gptj(hub: HubConfig) -> Parts:
    """GPT-J: rotary positions in neighbouring pairs, one norm before both branches, a head with a bias."""
    hub.refuse("rotary", True)
    hub.refuse("scale_attn_weights", True)
    hub.ignore("n_ctx")
    size = sizes(hub, "n_positions")
    mixer = attention(hub, size["d_model"])
    turned = hub.whole("rotary_dim", default=None)
    positions = rotary(hub, mixer["head_width"], interleaved=True)
    if turned is not None:
        positions["width"] = turned
    return size | {
        "positions": positions,
        "norm": layer_norm(hub, "layer_norm_epsilon"),
        "mixer": mixer,
        "feed_forward": _dense(hub, size["d_model"], "n_inner", "activation_function", "gelu_new"),
        "residual": {"order": "parallel", "norms": 1},
        "head": head(hub, False, bias=True),
    }


def codegen(hub: HubConfig) -> Parts:
    """CodeGen: GPT-J with Q, V and K in one matrix of four parts."""
    return merged(gptj(hub), {"mixer": {"fused": True, "stored_order": "by_part_q_v_k", "stored_parts": 4}})  # type: ignore[no-any-return]


def gpt_neox(hub: HubConfig) -> Parts:
    """GPT-NeoX and Pythia: rotary positions on part of a head, two norms before parallel branches."""
    size = sizes(hub)
    biased = hub.flag("attention_bias", default=True)
    mixer = attention(hub, size["d_model"]) | {"bias": biased, "out_bias": biased, "fused": True, "stored_order": "by_head"}
    hub.ignore("attention_probs_dropout_prob")
    return size | {
        "positions": rotary(hub, mixer["head_width"], part=0.25),
        "norm": layer_norm(hub, "layer_norm_eps"),
        "mixer": mixer,
        "feed_forward": _dense(hub, size["d_model"], "intermediate_size", "hidden_act", "gelu"),
        "residual": {"order": "parallel" if hub.flag("use_parallel_residual", default=True) else "sequential"},
        "head": head(hub, False),
    }


def opt(hub: HubConfig) -> Parts:
    """OPT: positions from row 2 on; the 350M one norms after its branches and has a narrower embedding."""
    size = sizes(hub)
    biased = hub.flag("enable_bias", default=True)
    before = hub.flag("do_layer_norm_before", default=True)
    removed = hub.flag("_remove_final_layer_norm", default=False)
    affine = hub.flag("layer_norm_elementwise_affine", default=True)
    hub.ignore("output_projection")
    width = hub.whole("word_embed_proj_dim", default=size["d_model"])
    return size | {
        "embedding": {} if width == size["d_model"] else {"width": width},
        "positions": {"kind": "learned", "rows": hub.whole("max_position_embeddings") + 2, "offset": 2},
        "norm": {"kind": "layer", "epsilon": 1e-5, "scale": affine, "bias": bool(affine)},
        "mixer": attention(hub, size["d_model"]) | {"bias": biased, "out_bias": biased},
        "feed_forward": {
            "kind": "dense",
            "width": hub.whole("ffn_dim"),
            "activation": activation(hub, "activation_function", default="relu"),
            "bias": biased,
        },
        "residual": {"norm_before": before, "norm_after": not before},
        "head": head(hub, True, norm=bool(before) and not removed),
    }


def bloom(hub: HubConfig) -> Parts:
    """BLOOM: ALiBi, a norm after the embedding."""
    hub.refuse("apply_residual_connection_post_layernorm", False)
    hub.ignore(
        "offset_alibi",
        "masked_softmax_fusion",
        "attention_softmax_in_fp32",
        "bias_dropout_fusion",
        "skip_bias_add",
        "skip_bias_add_qkv",
    )
    hub.ignore("unk_token_id", "n_inner", "hidden_dropout", "layer_norm_init", "seq_length")
    size = sizes(hub, "seq_length", default_context=2048)
    mixer = attention(hub, size["d_model"]) | {"bias": True, "out_bias": True, "fused": True, "stored_order": "by_head"}
    return size | {
        "embedding": {"norm": True},
        "positions": {"kind": "alibi"},
        "norm": layer_norm(hub, "layer_norm_epsilon"),
        "mixer": mixer,
        "feed_forward": {"kind": "dense", "width": 4 * size["d_model"], "activation": "gelu", "bias": True},
        "head": head(hub, True),
    }


def mpt(hub: HubConfig) -> Parts:
    """MPT: its own ALiBi, no biases, clipped Q, K and V."""
    size = sizes(hub, "max_seq_len", default_context=2048)
    # ALiBi takes the place of learned positions, and the inner width is four times the outer whatever the file says.
    hub.ignore("learned_pos_emb", "expansion_ratio", "embedding_fraction", "emb_pdrop", "init_config")
    hub.refuse("no_bias", True)
    hub.refuse("logit_scale", None)
    hub.refuse("norm_type", "low_precision_layernorm")
    inner = hub.group("attn_config") or HubConfig({}, hub.where)
    inner.refuse("attn_type", "multihead_attention")
    inner.refuse("alibi", True)
    inner.refuse("qk_ln", False)
    inner.refuse("prefix_lm", False)
    # The library that these files are for makes its slopes with the exponent 8, whatever the file says.
    inner.ignore("attn_impl", "is_encoder_decoder", "alibi_bias_max")
    mixer = attention(hub, size["d_model"]) | {"fused": True}
    for key, name in (("clip_qkv", "clip"), ("softmax_scale", "scale")):
        value = inner.number(key, default=None)
        if value is not None:
            mixer[name] = value
    return size | {
        "positions": {
            "kind": "alibi",
            "slopes": "odd_first_from_above",
            "bias_max": 8.0,
        },
        "norm": layer_norm(hub, "layer_norm_epsilon", bias=False),
        "mixer": mixer,
        "feed_forward": {"kind": "dense", "width": 4 * size["d_model"], "activation": "gelu_erf", "bias": False},
        "head": head(hub, True),
    }


def falcon(hub: HubConfig) -> Parts:
    """Falcon: parallel branches with one or two norms, one or few K and V heads, rotary positions or ALiBi."""
    hub.refuse("apply_residual_connection_post_layernorm", False)
    size = sizes(hub, default_context=2048)
    d_model, new = size["d_model"], hub.flag("new_decoder_architecture", default=False)
    parallel, biased = hub.flag("parallel_attn", default=True), hub.flag("bias", default=False)
    shared = hub.flag("multi_query", default=True)
    heads = hub.whole("num_attention_heads", "n_head")
    given = hub.whole("num_kv_heads", "n_head_kv", default=heads)
    kv_heads, order = (given, "by_group") if new else (1, "q_k_v") if shared else (heads, "by_head")
    hub.ignore("num_kv_heads", "n_head_kv", "max_position_embeddings")
    norms = hub.whole("num_ln_in_parallel_attn", default=2 if new else 1)
    mixer = attention(hub, d_model, kv_default=kv_heads)
    width = mixer["head_width"]
    positions = rotary(hub, width)
    if hub.flag("alibi", default=False):
        positions = {"kind": "alibi", "before_scale": True, "bf16_slopes": True}
    mixer |= {"bias": biased, "out_bias": biased, "fused": True, "stored_order": order}
    return size | {
        "positions": positions,
        "norm": layer_norm(hub, "layer_norm_epsilon"),
        "mixer": mixer,
        "feed_forward": {
            "kind": "dense",
            "width": hub.whole("ffn_hidden_size", default=4 * d_model),
            "activation": activation(hub, "activation", default="gelu"),
            "bias": biased,
        },
        "residual": {"order": "parallel", "norms": norms if new else 1} if new or parallel else {},
        "head": head(hub, True),
    }


def phi(hub: HubConfig) -> Parts:
    """Phi-1, Phi-1.5 and Phi-2: rotary positions on part of a head, one norm before both branches, biases everywhere."""
    size = sizes(hub, "max_position_embeddings" if "max_position_embeddings" in hub.values else "n_positions")
    mixer = attention(hub, size["d_model"]) | {"bias": True, "out_bias": True}
    hub.ignore("n_head_kv")
    positions = rotary(hub, mixer["head_width"], part=0.5)
    turned = hub.whole("rotary_dim", default=None)
    if turned is not None:
        positions["width"] = turned
    epsilon = layer_norm(hub, "layer_norm_eps", "layer_norm_epsilon")
    if hub.flag("qk_layernorm", default=False):
        mixer["qk_norm"] = {"over": "head", "norm": epsilon}
    inner = hub.whole("intermediate_size", "n_inner", default=4 * size["d_model"])
    return size | {
        "positions": positions,
        "norm": epsilon,
        "mixer": mixer,
        "feed_forward": {
            "kind": "dense",
            "width": inner,
            "activation": activation(hub, "hidden_act", "activation_function", default="gelu_new"),
        },
        "residual": {"order": "parallel", "norms": 1},
        "head": head(hub, False, bias=True),
    }


def _dense(hub: HubConfig, d_model: int, width_key: str, activation_key: str, default: str) -> Parts:
    return {
        "kind": "dense",
        "width": hub.whole(width_key, default=4 * d_model),
        "activation": activation(hub, activation_key, default=default),
    }


ARCHITECTURES = {
    "gpt2": gpt2, "gpt_bigcode": gpt_bigcode, "gpt_neo": gpt_neo, "gptj": gptj, "codegen": codegen, "gpt_neox": gpt_neox,
    "opt": opt, "bloom": bloom, "mpt": mpt, "falcon": falcon, "RefinedWeb": falcon, "RefinedWebModel": falcon,
    "phi": phi, "phi-msft": phi, "mixformer-sequential": phi,
}  # fmt: skip
