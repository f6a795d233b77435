"""Architectures after Llama: rotary positions, grouped queries, gated feed-forward parts."""

from __future__ import annotations

import math
from typing import Any

from pimsim.config.decoder.model import merged
from pimsim.config.hub.common import (
    activation,
    attention,
    checked_kinds,
    head,
    layer_norm,
    patterned,
    rms,
    sizes,
    windowed,
    windows,
)
from pimsim.config.hub.reader import HubConfig
from pimsim.config.hub.rotary import rotary

Parts = dict[str, Any]


def plain(hub: HubConfig, **more: Any) -> Parts:
    """Sizes, heads, rotary positions, RMS norms and a gated part as the keys most files share say them; ``more``: see ``attention``."""
    tied, theta, part = more.pop("tied", False), more.pop("theta", 10000.0), more.pop("part", 1.0)
    interleaved = more.pop("interleaved", False)
    size = sizes(hub)
    mixer = attention(hub, size["d_model"], **more)
    return size | {
        "positions": rotary(hub, mixer["head_width"], part=part, theta=theta, interleaved=interleaved),
        "norm": rms(hub),
        "mixer": mixer,
        "feed_forward": {
            "kind": "gated",
            "width": hub.whole("intermediate_size"),
            "activation": activation(hub, "hidden_act", default="silu"),
        },
        "head": head(hub, tied),
    }


def _with(parts: Parts, *changes: Parts) -> Parts:
    for change in changes:
        parts = merged(parts, change)
    return parts


def llama(hub: HubConfig) -> Parts:
    """Llama 1 to 3 and what is built like them."""
    biased, hidden = hub.flag("attention_bias", default=False), hub.flag("mlp_bias", default=False)
    hub.refuse("rope_interleaved", False)
    return _with(plain(hub), {"mixer": {"bias": biased, "out_bias": biased}, "feed_forward": {"bias": hidden}})


def mistral(hub: HubConfig) -> Parts:
    """Mistral: a window in every layer, unless the file says null."""
    parts = plain(hub, kv_default=8)
    window = hub.whole("sliding_window", default=None if hub.has("sliding_window") else 4096)
    sliding = windows(hub, parts["layers"], window, [True] * parts["layers"])
    return _with(parts, windowed(sliding, window))


def qwen2(hub: HubConfig) -> Parts:
    """Qwen1.5, Qwen2 and Qwen2.5: biases on Q, K and V; windows only where they are switched on."""
    parts = plain(hub, kv_default=hub.whole("num_attention_heads"))
    biased = hub.flag("qkv_bias", default=True)
    return _with(parts, {"mixer": {"bias": biased}}, _qwen_windows(hub, parts["layers"]))


def _qwen_windows(hub: HubConfig, layers: int) -> Parts:
    used, first = hub.flag("use_sliding_window", default=False), hub.whole("max_window_layers", default=28, least=0)
    window = hub.whole("sliding_window", default=4096, least=0) if used else None
    hub.ignore("sliding_window")
    sliding = windows(hub, layers, window, [layer >= first for layer in range(layers)])
    if any(sliding) and not used:
        raise hub.wrong("layer_types", "has windows, but use_sliding_window is not true")
    return windowed(sliding, window)


def qwen3(hub: HubConfig) -> Parts:
    """Qwen3: norms on each head of Q and K."""
    parts = plain(hub, head_default=128)
    biased = hub.flag("attention_bias", default=False)
    change = {"mixer": {"bias": biased, "out_bias": biased, "qk_norm": {"over": "head", "norm": dict(parts["norm"])}}}
    return _with(parts, change, _qwen_windows(hub, parts["layers"]))


def gemma(hub: HubConfig) -> Parts:
    """Gemma: embedding times sqrt(width), norms with one plus the weight, tanh GELU in the gate whatever 'gelu' says."""
    size = sizes(hub)
    mixer = attention(hub, size["d_model"], kv_default=16, head_default=256)
    return _gemma(hub, size, mixer, hub.text("hidden_activation", default=None))


def _gemma(hub: HubConfig, size: Parts, mixer: Parts, act: str | None) -> Parts:
    biased = hub.flag("attention_bias", default=False)
    hub.refuse("use_bidirectional_attention", False)
    hub.ignore("hidden_act")
    names = {"gelu": "gelu", "gelu_pytorch_tanh": "gelu", "gelu_new": "gelu", "silu": "silu", "relu": "relu"}
    return size | {
        "embedding": {"scale": math.sqrt(size["d_model"])},
        "positions": rotary(hub, mixer["head_width"]),
        "norm": rms(hub, one_plus=True),
        "mixer": mixer | {"bias": biased, "out_bias": biased},
        "feed_forward": {
            "kind": "gated",
            "width": hub.whole("intermediate_size"),
            "activation": activation(hub, "hidden_activation", default="gelu_pytorch_tanh", names=names) if act else "gelu",
        },
        "head": head(hub, True),
    }


def gemma2(hub: HubConfig) -> Parts:
    """Gemma 2: norms before and after, windows in every other layer, capped scores and logits."""
    size = sizes(hub)
    mixer = attention(hub, size["d_model"], kv_default=4, head_default=256)
    mixer["scale"] = hub.number("query_pre_attn_scalar", default=256.0) ** -0.5
    cap, last = hub.number("attn_logit_softcapping", default=None), hub.number("final_logit_softcapping", default=None)
    if cap is None and not hub.has("attn_logit_softcapping"):
        cap = 50.0
    if last is None and not hub.has("final_logit_softcapping"):
        last = 30.0
    parts = _gemma(hub, size, mixer, hub.text("hidden_activation", default="gelu_pytorch_tanh"))
    window = hub.whole("sliding_window", default=4096)
    sliding = windows(hub, size["layers"], window, [layer % 2 == 0 for layer in range(size["layers"])])
    change = {"mixer": {"soft_cap": cap}, "residual": {"norm_branch": True}, "head": {"soft_cap": last}}
    return _with(parts, change, windowed(sliding, window))


def gemma3(hub: HubConfig) -> Parts:
    """Gemma 3: norms on Q and K, five layers with a window for each without, which rotate by another theta."""
    size = sizes(hub)
    mixer = attention(hub, size["d_model"], kv_default=4, head_default=256)
    mixer["scale"] = hub.number("query_pre_attn_scalar", default=256.0) ** -0.5
    hub.refuse("attn_logit_softcapping", None)
    last = hub.number("final_logit_softcapping", default=None)
    width = mixer["head_width"]
    parts = _gemma(hub, size, mixer, hub.text("hidden_activation", default="gelu_pytorch_tanh"))
    window, every = (
        hub.whole("sliding_window", default=4096),
        hub.whole("sliding_window_pattern", "_sliding_window_pattern", default=6),
    )
    sliding = windows(hub, size["layers"], window, [bool((layer + 1) % every) for layer in range(size["layers"])])
    full, near = rotary(hub, width, theta=1e6, of="full_attention"), rotary(hub, width, theta=10000.0, of="sliding_attention")
    if hub.group("rope_parameters") is None:
        near = {"kind": "rotary", "theta": hub.number("rope_local_base_freq", default=10000.0)}
    hub.ignore("rope_local_base_freq")
    change = {
        "mixer": {"qk_norm": {"over": "head", "norm": dict(parts["norm"])}},
        "residual": {"norm_branch": True},
        "head": {} if last is None else {"soft_cap": last},
    }
    blocks = windowed(sliding, window, {"positions": full}, {"positions": near})
    return _with({key: value for key, value in parts.items() if key != "positions"}, change, blocks)


def phi3(hub: HubConfig) -> Parts:
    """Phi-3 and Phi-4: fused products, longrope."""
    parts = plain(hub)
    biased = hub.flag("attention_bias", default=False)
    hub.ignore("original_max_position_embeddings")
    window = hub.whole("sliding_window", default=None)
    sliding = windows(hub, parts["layers"], window, [True] * parts["layers"])
    change = {"mixer": {"fused": True, "bias": biased, "out_bias": biased}, "feed_forward": {"fused": True}}
    return _with(parts, change, windowed(sliding, window))


def starcoder2(hub: HubConfig) -> Parts:
    """StarCoder2: LayerNorm, biases, a dense part, a window."""
    size = sizes(hub)
    mixer = attention(hub, size["d_model"], kv_default=2)
    biased = hub.flag("use_bias", default=True)
    hub.ignore("mlp_type", "norm_type")
    window = hub.whole("sliding_window", default=None)
    parts = size | {
        "positions": rotary(hub, mixer["head_width"]),
        "norm": layer_norm(hub, "norm_epsilon"),
        "mixer": mixer | {"bias": biased, "out_bias": biased},
        "feed_forward": {
            "kind": "dense",
            "width": hub.whole("intermediate_size"),
            "activation": activation(hub, "hidden_act", default="gelu_pytorch_tanh"),
            "bias": biased,
        },
        "head": head(hub, True),
    }
    return _with(parts, windowed(windows(hub, size["layers"], window, [True] * size["layers"]), window))


def cohere(hub: HubConfig) -> Parts:
    """Command R and Aya: parallel branches after one norm, neighbouring pairs rotate, scaled logits."""
    parts = plain(hub, tied=True, interleaved=True)
    biased = hub.flag("attention_bias", default=False)
    norm = layer_norm(hub, "layer_norm_eps", bias=False)
    mixer: Parts = {"bias": biased, "out_bias": biased}
    if hub.flag("use_qk_norm", default=False):
        mixer["qk_norm"] = {"over": "head", "norm": norm, "own_weights": True}
    return _with(
        parts,
        {"norm": None},
        {"norm": norm, "mixer": mixer, "residual": {"order": "parallel", "norms": 1}},
        {"head": {"scale": hub.number("logit_scale", default=0.0625)}},
    )


def cohere2(hub: HubConfig) -> Parts:
    """Command R7B: windows with rotation in three of four layers, none of both in the fourth."""
    parts = cohere(hub)
    window, every = (
        hub.whole("sliding_window", default=4096),
        hub.whole("sliding_window_pattern", "_sliding_window_pattern", default=4),
    )
    hub.ignore(
        "order_of_interleaved_layers", "position_embedding_type", "rotary_pct", "use_embedding_sharing", "use_gated_activation"
    )
    hub.ignore("use_parallel_block", "use_parallel_embedding", "layer_switch")
    sliding = windows(hub, parts["layers"], window, [bool((layer + 1) % every) for layer in range(parts["layers"])])
    return _with(parts, windowed(sliding, window, {"mixer": {"rotate": False}}))


def stablelm(hub: HubConfig) -> Parts:
    """StableLM: LayerNorm, rotary positions on a quarter of a head."""
    parts = plain(hub, part=0.25)
    norm = layer_norm(hub, "layer_norm_eps")
    mixer: Parts = {"bias": hub.flag("use_qkv_bias", default=False)}
    if hub.flag("qk_layernorm", default=False):
        mixer["qk_norm"] = {"over": "head", "norm": norm | {"bias": False}, "own_weights": True}
    parallel = hub.flag("use_parallel_residual", default=False)
    residual = {"order": "parallel", "norms": 1} if parallel else {}
    hub.ignore("norm_eps", "rotary_scaling_factor")
    return _with(parts, {"norm": None}, {"norm": norm, "mixer": mixer, "residual": residual})


def olmo(hub: HubConfig) -> Parts:
    """OLMo: LayerNorm without parameters, clipped Q, K and V."""
    parts = plain(hub)
    biased, clip = hub.flag("attention_bias", default=False), hub.number("clip_qkv", default=None)
    mixer = {"bias": biased, "out_bias": biased} | ({} if clip is None else {"clip": clip})
    return _with(
        parts, {"norm": None}, {"norm": {"kind": "layer", "epsilon": 1e-5, "scale": False, "bias": False}, "mixer": mixer}
    )


def olmo2(hub: HubConfig) -> Parts:
    """OLMo 2: norms of the branches' outputs only, and of the whole Q and K."""
    parts = plain(hub)
    biased = hub.flag("attention_bias", default=False)
    return _with(
        parts,
        {"mixer": {"bias": biased, "out_bias": biased, "qk_norm": {"over": "whole", "norm": dict(parts["norm"])}}},
        {"residual": {"norm_before": False, "norm_branch": True}},
    )


def olmo3(hub: HubConfig) -> Parts:
    """OLMo 3: OLMo 2 with windows in three of four layers; scaled rotation only in the others."""
    parts = olmo2(hub)
    window = hub.whole("sliding_window", default=4096)
    sliding = windows(hub, parts["layers"], window, [bool((layer + 1) % 4) for layer in range(parts["layers"])])
    unscaled = {key: value for key, value in parts["positions"].items() if key != "scaling"}
    full, rest = {"positions": parts["positions"]}, {key: value for key, value in parts.items() if key != "positions"}
    return _with(rest, windowed(sliding, window, full, {"positions": unscaled}))


def granite(hub: HubConfig) -> Parts:
    """Granite 3: multipliers on embedding, scores, branches and logits."""
    return _with(llama(hub), granite_multipliers(hub))


def granite_multipliers(hub: HubConfig) -> Parts:
    """What Granite's files multiply by."""
    return {
        "embedding": {"scale": hub.number("embedding_multiplier", default=1.0)},
        "mixer": {"scale": hub.number("attention_multiplier", default=1.0)},
        "residual": {"scale": hub.number("residual_multiplier", default=1.0)},
        "head": {"scale": 1.0 / hub.number("logits_scaling", default=1.0)},
    }


def smollm3(hub: HubConfig) -> Parts:
    """SmolLM3: no rotation in every fourth layer."""
    parts = llama(hub)
    layers, every = parts["layers"], hub.whole("no_rope_layer_interval", default=4)
    turned = hub.numbers("no_rope_layers", default=None)
    turned = [int((layer + 1) % every != 0) for layer in range(layers)] if turned is None else turned
    if len(turned) != layers:
        raise hub.wrong("no_rope_layers", f"has {len(turned)} entries for {layers} layers")
    hub.refuse("use_sliding_window", False)
    kinds = hub.texts("layer_types", default=None)
    checked_kinds(hub, kinds or ["full_attention"] * layers, layers, ("full_attention",))
    hub.ignore("max_window_layers", "sliding_window")
    blocks = {"rotated": {}, "not_rotated": {"mixer": {"rotate": False}}}
    return _with(parts, patterned(["rotated" if one else "not_rotated" for one in turned], blocks))


def nemotron(hub: HubConfig) -> Parts:
    """Nemotron: LayerNorm with one plus the weight, a dense part with squared ReLU."""
    size = sizes(hub)
    mixer = attention(hub, size["d_model"])
    biased, hidden = hub.flag("attention_bias", default=False), hub.flag("mlp_bias", default=False)
    return size | {
        "positions": rotary(hub, mixer["head_width"], part=0.5),
        "norm": layer_norm(hub, "norm_eps") | {"one_plus": True},
        "mixer": mixer | {"bias": biased, "out_bias": biased},
        "feed_forward": {
            "kind": "dense",
            "width": hub.whole("intermediate_size"),
            "activation": activation(hub, "hidden_act", default="relu2"),
            "bias": hidden,
        },
        "head": head(hub, False),
    }


def glm(hub: HubConfig) -> Parts:
    """GLM-4 9B (first): rotation of neighbouring pairs on half a head, fused gate and up."""
    parts = plain(hub, kv_default=2, part=0.5, interleaved=True)
    return _with(parts, {"mixer": {"bias": hub.flag("attention_bias", default=False)}, "feed_forward": {"fused": True}})


def glm4(hub: HubConfig) -> Parts:
    """GLM-4-0414: GLM with norms before and after."""
    return _with(glm(hub), {"residual": {"norm_branch": True}})


ARCHITECTURES = {
    "llama": llama, "mistral": mistral, "qwen2": qwen2, "qwen3": qwen3, "gemma": gemma, "gemma2": gemma2, "gemma3_text": gemma3,
    "phi3": phi3, "starcoder2": starcoder2, "cohere": cohere, "cohere2": cohere2, "stablelm": stablelm, "stablelm_epoch": stablelm,
    "olmo": olmo, "olmo2": olmo2, "olmo3": olmo3, "granite": granite, "smollm3": smollm3, "nemotron": nemotron, "glm": glm, "glm4": glm4,
}  # fmt: skip
