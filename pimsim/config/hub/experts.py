"""Architectures with mixtures of experts, latent attention among them."""

from __future__ import annotations

from typing import Any

from pimsim.config.decoder.model import merged
from pimsim.config.hub.common import activation, head, patterned, sizes, windowed, windows
from pimsim.config.hub.llama import _qwen_windows, granite_multipliers, llama, mistral, plain
from pimsim.config.hub.reader import HubConfig
from pimsim.config.hub.rotary import mscale, rotary

Parts = dict[str, Any]


def _experts(hub: HubConfig, count: Any, chosen: Any, width: Any, router: Parts, **more: Any) -> Parts:
    return {
        "kind": "experts", "count": count, "chosen": chosen, "width": width,
        "activation": activation(hub, "hidden_act", default="silu"), "router": router, **more,
    }  # fmt: skip


def mixtral(hub: HubConfig) -> Parts:
    """Mixtral: eight experts, two of them chosen, their weights renormalised."""
    hub.values.setdefault("sliding_window", None)
    parts = mistral(hub)
    count, chosen = hub.whole("num_local_experts", "num_experts", default=8), hub.whole("num_experts_per_tok", default=2)
    forward = _experts(hub, count, chosen, hub.whole("intermediate_size"), {"renormalise": True})
    return parts | {"feed_forward": forward}


def _some_layers(hub: HubConfig, parts: Parts, forward: Parts) -> Parts:
    """Experts in every ``decoder_sparse_step``-th layer but those of ``mlp_only_layers``; the dense part in the others."""
    step, layers = hub.whole("decoder_sparse_step", default=1), parts["layers"]
    only = hub.numbers("mlp_only_layers", default=[])
    sparse = [layer not in only and (layer + 1) % step == 0 for layer in range(layers)]
    if all(sparse):
        return parts | {"feed_forward": forward}
    if "blocks" in parts:
        raise hub.wrong("use_sliding_window", "beside layers without experts is not modelled")
    blocks = {"experts": {"feed_forward": forward}, "dense": {}}
    return merged(parts, patterned(["experts" if one else "dense" for one in sparse], blocks))  # type: ignore[no-any-return]


def qwen2_moe(hub: HubConfig) -> Parts:
    """Qwen1.5-MoE: small experts beside shared ones behind a sigmoid."""
    parts = plain(hub, kv_default=hub.whole("num_attention_heads"))
    parts = merged(parts, {"mixer": {"bias": hub.flag("qkv_bias", default=True)}})
    parts = merged(parts, _qwen_windows(hub, parts["layers"]))
    forward = _experts(
        hub, hub.whole("num_experts", default=60), hub.whole("num_experts_per_tok", default=4), hub.whole("moe_intermediate_size"),
        {"renormalise": hub.flag("norm_topk_prob", default=False)},
        shared_width=hub.whole("shared_expert_intermediate_size"), shared_gate=True,
    )  # fmt: skip
    return _some_layers(hub, parts, forward)


def qwen3_moe(hub: HubConfig) -> Parts:
    """Qwen3-30B-A3B: experts without shared ones, norms on each head of Q and K."""
    parts = plain(hub)
    biased = hub.flag("attention_bias", default=False)
    change = {"mixer": {"bias": biased, "out_bias": biased, "qk_norm": {"over": "head", "norm": dict(parts["norm"])}}}
    used = hub.flag("use_sliding_window", default=False)
    window = hub.whole("sliding_window", default=None, least=0) if used else None
    hub.ignore("sliding_window", "max_window_layers")
    near = {} if window is None else {"mixer": {"window": window}}
    forward = _experts(
        hub, hub.whole("num_experts", "num_local_experts", default=128), hub.whole("num_experts_per_tok", default=8),
        hub.whole("moe_intermediate_size"), {"renormalise": hub.flag("norm_topk_prob", default=False)},
    )  # fmt: skip
    return _some_layers(hub, merged(merged(parts, change), near), forward)


def olmoe(hub: HubConfig) -> Parts:
    """OLMoE: 64 experts, norms on the whole Q and K."""
    parts = plain(hub)
    biased, clip = hub.flag("attention_bias", default=False), hub.number("clip_qkv", default=None)
    mixer = {"bias": biased, "out_bias": biased, "qk_norm": {"over": "whole", "norm": dict(parts["norm"])}}
    forward = _experts(
        hub, hub.whole("num_experts", default=64), hub.whole("num_experts_per_tok", default=8), hub.whole("intermediate_size"),
        {"renormalise": hub.flag("norm_topk_prob", default=False)},
    )  # fmt: skip
    return merged(parts, {"mixer": mixer | ({} if clip is None else {"clip": clip})}) | {"feed_forward": forward}


def granite_moe(hub: HubConfig) -> Parts:
    """Granite 3 with experts: the chosen experts' scores through a softmax of their own."""
    parts = merged(llama(hub), granite_multipliers(hub))
    shared = hub.whole("shared_intermediate_size", default=0, least=0)
    forward = _experts(
        hub, hub.whole("num_local_experts", default=8), hub.whole("num_experts_per_tok", default=2), hub.whole("intermediate_size"),
        {"scores": "softmax_of_chosen"}, stored="fused_gate_up", shared_width=shared,
    )  # fmt: skip
    return parts | {"feed_forward": forward}


def gpt_oss(hub: HubConfig) -> Parts:
    """GPT-OSS: a stored extra score a head, windows in every other layer, clamped gates, biases everywhere."""
    parts = plain(hub, kv_default=8, head_default=64, theta=150000.0)
    biased = hub.flag("attention_bias", default=True)
    window, layers = hub.whole("sliding_window", default=128), parts["layers"]
    hub.ignore("experts_per_token", "initial_context_length", "hidden_act", "swiglu_limit")
    sliding = windows(hub, layers, window, [layer % 2 == 0 for layer in range(layers)])
    forward = {
        "kind": "experts", "count": hub.whole("num_local_experts", "num_experts", default=128),
        "chosen": hub.whole("num_experts_per_tok", "experts_per_token", default=4), "width": hub.whole("intermediate_size"),
        "activation": "clamped_swiglu", "limit": hub.number("swiglu_limit", default=7.0), "bias": True,
        "router": {"scores": "softmax_of_chosen", "bias": True}, "stored": "interleaved_gate_up",
    }  # fmt: skip
    parts = merged(parts, {"mixer": {"bias": biased, "out_bias": biased, "sinks": True}}) | {"feed_forward": forward}
    return merged(parts, windowed(sliding, window))  # type: ignore[no-any-return]


def deepseek_v2(hub: HubConfig) -> Parts:
    """DeepSeek-V2: latent attention; softmax scores, groups chosen by their best expert."""
    method = hub.text("topk_method", default="greedy")
    if method not in ("greedy", "group_limited_greedy"):
        raise hub.wrong("topk_method", "is not modelled; allowed: greedy, group_limited_greedy")
    hub.refuse("scoring_func", "softmax")
    hub.refuse("moe_layer_freq", 1)
    hub.ignore("norm_topk_prob", "qk_head_dim", "n_group", "topk_group")
    grouped = {"groups": hub.whole("n_group"), "chosen_groups": hub.whole("topk_group")} if method != "greedy" else {}
    router = {"scale": hub.number("routed_scaling_factor", default=1.0)} | grouped
    return _deepseek(hub, router, 1.0, True, first_dense=0)


def deepseek_v3(hub: HubConfig) -> Parts:
    """DeepSeek-V3 and R1: latent attention; sigmoid scores with a correction, groups chosen by their two best experts."""
    hub.refuse("topk_method", "noaux_tc")
    hub.refuse("scoring_func", "sigmoid")
    hub.refuse("moe_layer_freq", 1)
    hub.ignore("qk_head_dim")
    router = {
        "scores": "sigmoid", "renormalise": hub.flag("norm_topk_prob", default=True), "correction": True,
        "scale": hub.number("routed_scaling_factor", default=2.5), "groups": hub.whole("n_group", default=8),
        "chosen_groups": hub.whole("topk_group", default=4), "group_score": "sum_of_two_best",
    }  # fmt: skip
    group = hub.group("rope_parameters", "rope_scaling")
    stretch = 1.0
    if group is not None and group.text("rope_type", "type", default="default") != "default":
        all_dims = group.number("mscale_all_dim", default=0.0)
        stretch = mscale(group.number("factor", default=1.0), all_dims) ** 2 if all_dims else 1.0
    return _deepseek(hub, router, stretch, bool(hub.flag("rope_interleave", default=True)), first_dense=3)


def _deepseek(hub: HubConfig, router: Parts, stretch: float, interleaved: bool, first_dense: int) -> Parts:
    size = sizes(hub)
    plain_width, turned = hub.whole("qk_nope_head_dim", default=128), hub.whole("qk_rope_head_dim", default=64)
    biased = hub.flag("attention_bias", default=False)
    hub.refuse("mlp_bias", False)
    hub.ignore("head_dim", "num_key_value_heads", "q_lora_rank")
    low_rank = None if hub.has("q_lora_rank") and hub.values["q_lora_rank"] is None else hub.whole("q_lora_rank", default=1536)
    mixer = {
        "kind": "latent_attention", "heads": hub.whole("num_attention_heads"), "latent_width": hub.whole("kv_lora_rank", default=512),
        "plain_width": plain_width, "rotary_width": turned, "value_width": hub.whole("v_head_dim", default=128),
        "bias": biased, "inner_norm": {"kind": "rms", "epsilon": 1e-6},
    }  # fmt: skip
    mixer |= {} if low_rank is None else {"query_latent_width": low_rank}
    mixer |= {} if stretch == 1.0 else {"scale": (plain_width + turned) ** -0.5 * stretch}
    width, shared = hub.whole("moe_intermediate_size"), hub.whole("n_shared_experts", default=0, least=0)
    forward = _experts(
        hub, hub.whole("n_routed_experts"), hub.whole("num_experts_per_tok"), width, router, shared_width=width * shared
    )
    dense = {
        "kind": "gated",
        "width": hub.whole("intermediate_size"),
        "activation": activation(hub, "hidden_act", default="silu"),
    }
    first, layers = hub.whole("first_k_dense_replace", default=first_dense, least=0), size["layers"]
    blocks = {"dense": {"feed_forward": dense}, "experts": {"feed_forward": forward}}
    parts = size | {
        "positions": rotary(hub, turned, interleaved=interleaved),
        "norm": {"kind": "rms", "epsilon": hub.number("rms_norm_eps", default=1e-6)},
        "mixer": mixer,
        "head": head(hub, False),
    }
    return parts | patterned(["dense" if layer < first else "experts" for layer in range(layers)], blocks)


ARCHITECTURES = {
    "mixtral": mixtral, "qwen2_moe": qwen2_moe, "qwen3_moe": qwen3_moe, "olmoe": olmoe, "granitemoe": granite_moe,
    "granitemoeshared": granite_moe, "gpt_oss": gpt_oss, "deepseek_v2": deepseek_v2, "deepseek_v3": deepseek_v3,
}  # fmt: skip
