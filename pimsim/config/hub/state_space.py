"""Architectures with state spaces, alone and with attention."""

from __future__ import annotations

import math
from typing import Any

from pimsim.config.decoder.model import merged
from pimsim.config.hub.common import RESERVED_CONTEXT, activation, attention, head, patterned, rms, sizes
from pimsim.config.hub.reader import HubConfig
from pimsim.config.hub.rotary import rotary

Parts = dict[str, Any]


def _alone(hub: HubConfig) -> Parts:
    """Sizes of a model without positions: its context is bounded by nothing but what is reserved."""
    hub.ignore("d_model", "d_inner", "n_layer", "ssm_cfg", "rms_norm")
    return sizes(hub, "max_position_embeddings", default_context=RESERVED_CONTEXT)


def mamba(hub: HubConfig) -> Parts:
    """Mamba: one state space a layer and nothing else."""
    size = _alone(hub)
    rank = hub.raw("time_step_rank", default="auto")
    inner = hub.whole("intermediate_size", "d_inner", default=hub.whole("expand", default=2) * size["d_model"])
    hub.ignore("expand", "use_bcdt_rms", "use_falcon_mambapy", "use_falcon_mamba_kernels")
    mixer = {
        "kind": "mamba1", "inner_width": inner, "state_width": hub.whole("state_size", default=16),
        "step_rank": math.ceil(size["d_model"] / 16) if rank == "auto" else hub.whole("time_step_rank"),
        "conv_width": hub.whole("conv_kernel", default=4), "conv_bias": hub.flag("use_conv_bias", default=True),
        "bias": hub.flag("use_bias", default=False), "activation": activation(hub, "hidden_act", default="silu"),
    }  # fmt: skip
    return size | {
        "norm": rms(hub, "layer_norm_epsilon", default=1e-5),
        "mixer": mixer,
        "feed_forward": {"kind": "none"},
        "head": head(hub, True),
    }


def falcon_mamba(hub: HubConfig) -> Parts:
    """Falcon Mamba: Mamba with norms, without weights, on step, B and C."""
    inner = {"kind": "rms", "epsilon": hub.number("mixer_rms_eps", default=1e-6), "scale": False}
    return merged(mamba(hub), {"mixer": {"inner_norm": inner}})  # type: ignore[no-any-return]


def mamba2(hub: HubConfig) -> Parts:
    """Mamba-2: heads with one decay each, a gated norm."""
    hub.refuse("rms_norm", True)
    size = _alone(hub)
    heads, width = hub.whole("num_heads", default=128), hub.whole("head_dim", default=64)
    inner = hub.whole("expand", default=2) * size["d_model"]
    if heads * width != inner:
        raise hub.wrong("num_heads", f"heads of {width} are not the inner width, {inner} (expand x hidden_size)")
    hub.ignore("time_step_rank", "intermediate_size")
    groups, norm = hub.whole("n_groups", default=8), rms(hub, "layer_norm_epsilon", default=1e-5)
    mixer = {
        "kind": "mamba2", "heads": heads, "head_width": width, "state_width": hub.whole("state_size", default=128),
        "groups": groups, "conv_width": hub.whole("conv_kernel", default=4), "conv_bias": hub.flag("use_conv_bias", default=True),
        "bias": hub.flag("use_bias", default=False), "gated_norm": norm, "norm_groups": groups,
        "activation": activation(hub, "hidden_act", default="silu"),
    }  # fmt: skip
    return size | {
        "norm": norm,
        "mixer": mixer | _step_limit(hub),
        "feed_forward": {"kind": "none"},
        "head": head(hub, False),
    }


def _step_limit(hub: HubConfig) -> Parts:
    """Bounds of the step, where they are any."""
    given = hub.raw("time_step_limit")
    if given is None:
        return {}
    if not isinstance(given, list) or len(given) != 2:
        raise hub.wrong("time_step_limit", "must be a list of two numbers")
    low, high = (math.inf if isinstance(end, dict) or end == "Infinity" else end for end in given)
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)):
        raise hub.wrong("time_step_limit", "must be a list of two numbers")
    if low <= 0 and math.isinf(high):
        return {}
    return {"step_limit": [float(low), float(high) if math.isfinite(high) else 1e30]}


def _mamba2_of(hub: HubConfig, d_model: int, norm: Parts | None) -> Parts:
    """Mamba-2 as hybrids' files say it, in keys that begin with ``mamba_``."""
    heads = hub.whole("mamba_n_heads", default=128)
    inner = hub.whole("mamba_d_ssm", default=hub.whole("mamba_expand", default=2) * d_model)
    width = hub.raw("mamba_d_head", default="auto")
    width = inner // heads if width == "auto" else hub.whole("mamba_d_head")
    if heads * width != inner:
        raise hub.wrong("mamba_n_heads", f"heads of {width} are not the inner width, {inner}")
    biased = hub.flag("mamba_proj_bias", default=False)
    return {
        "kind": "mamba2", "heads": heads, "head_width": width, "state_width": hub.whole("mamba_d_state", default=256),
        "groups": hub.whole("mamba_n_groups", default=1), "conv_width": hub.whole("mamba_d_conv", default=4),
        "conv_bias": hub.flag("mamba_conv_bias", default=True), "bias": biased, "gated_norm": norm,
        "activation": activation(hub, "hidden_act", default="silu"),
    } | _step_limit(hub)  # fmt: skip


def bamba(hub: HubConfig) -> Parts:
    """Bamba: Mamba-2 layers with attention in a few; every layer has a gated part."""
    size, norm = sizes(hub), rms(hub, default=1e-5)
    mixer = attention(hub, size["d_model"], kv_default=8)
    biased = hub.flag("attention_bias", default=False)
    at = hub.numbers("attn_layer_indices", default=[])
    kinds = ["attention" if layer in at else "mamba2" for layer in range(size["layers"])]
    listed = hub.texts("layer_types", "layers_block_type", default=None)
    if listed is not None:
        kinds = ["attention" if kind in ("attention", "full_attention") else "mamba2" for kind in listed]
        if len(kinds) != size["layers"]:
            raise hub.wrong("layer_types", f"has {len(kinds)} entries for {size['layers']} layers")
    blocks = {
        "attention": {"mixer": mixer | {"bias": biased, "out_bias": biased}},
        "mamba2": {"mixer": _mamba2_of(hub, size["d_model"], norm)},
    }
    parts = size | {
        "positions": rotary(hub, mixer["head_width"], part=0.5),
        "norm": norm,
        "feed_forward": {
            "kind": "gated",
            "width": hub.whole("intermediate_size"),
            "activation": activation(hub, "hidden_act", default="silu"),
            "bias": hub.flag("mlp_bias", default=False),
        },
        "head": head(hub, False),
    }
    return parts | patterned(kinds, blocks)


def falcon_h1(hub: HubConfig) -> Parts:
    """Falcon-H1: attention and Mamba-2 side by side in every layer, and multipliers nearly everywhere."""
    size, norm = sizes(hub), rms(hub, default=1e-5)
    mixer = attention(hub, size["d_model"], kv_default=8)
    hub.refuse("attention_bias", False)
    hub.refuse("mlp_bias", False)
    hub.ignore(
        "mlp_expansion_factor", "mamba_use_mlp", "attn_layer_indices", "mamba_expand", "num_logits_to_keep", "attn_rotary_emb"
    )
    into, key = hub.number("attention_in_multiplier", default=1.0), hub.number("key_multiplier", default=1.0)
    # Without biases, factors of the input and of the keys come out of the scores and of the values.
    mixer |= {
        "scale": mixer["head_width"] ** -0.5 * into * into * key,
        "scale_out": into * hub.number("attention_out_multiplier", default=1.0),
    }
    gated_norm = norm if hub.flag("mamba_rms_norm", default=False) else None
    side = _mamba2_of(hub, size["d_model"], gated_norm) | {
        "bias": hub.flag("projectors_bias", "mamba_proj_bias", default=False),
        "norm_groups": hub.whole("mamba_n_groups", default=1),
        "norm_before_gate": hub.flag("mamba_norm_before_gate", default=True),
        "scale_in": hub.number("ssm_in_multiplier", default=1.0),
        "scale_out": hub.number("ssm_out_multiplier", default=1.0),
        "multipliers": [float(value) for value in hub.numbers("ssm_multipliers", default=[1.0] * 5)],
    }
    gate, down = hub.numbers("mlp_multipliers", default=[1.0, 1.0])
    return size | {
        "embedding": {"scale": hub.number("embedding_multiplier", default=1.0)},
        "positions": rotary(hub, mixer["head_width"], theta=100000.0),
        "norm": norm,
        "mixer": mixer,
        "beside": side,
        "feed_forward": {
            "kind": "gated",
            "width": hub.whole("intermediate_size"),
            "activation": activation(hub, "hidden_act", default="silu"),
            "gate_scale": float(gate),
            "down_scale": float(down),
        },
        "head": head(hub, False, scale=hub.number("lm_head_multiplier", default=1.0)),
    }


def jamba(hub: HubConfig) -> Parts:
    """Jamba: Mamba layers with attention in every eighth, experts in every second, no positions."""
    size, norm = sizes(hub), rms(hub)
    hub.refuse("sliding_window", None)
    d_model, layers = size["d_model"], size["layers"]
    rank = hub.raw("mamba_dt_rank", default="auto")
    state = {
        "kind": "mamba1", "inner_width": hub.whole("mamba_expand", default=2) * d_model,
        "state_width": hub.whole("mamba_d_state", default=16),
        "step_rank": math.ceil(d_model / 16) if rank == "auto" else hub.whole("mamba_dt_rank"),
        "conv_width": hub.whole("mamba_d_conv", default=4), "conv_bias": hub.flag("mamba_conv_bias", default=True),
        "bias": hub.flag("mamba_proj_bias", default=False), "inner_norm": norm,
        "activation": activation(hub, "hidden_act", default="silu"),
    }  # fmt: skip
    inner = hub.whole("intermediate_size")
    act = activation(hub, "hidden_act", default="silu")
    count, chosen = hub.whole("num_experts", default=16), hub.whole("num_experts_per_tok", default=2)
    mixers = {"attention": attention(hub, d_model, kv_default=8), "mamba": state}
    forwards = {
        "dense": {"kind": "gated", "width": inner, "activation": act},
        "experts": {"kind": "experts", "count": count, "chosen": chosen, "width": inner, "activation": act},
    }
    every, offset = hub.whole("attn_layer_period", default=8), hub.whole("attn_layer_offset", default=4, least=0)
    expert_every, expert_at = hub.whole("expert_layer_period", default=2), hub.whole("expert_layer_offset", default=1, least=0)
    names = [
        f"{'attention' if layer % every == offset else 'mamba'}_{'experts' if count > 1 and layer % expert_every == expert_at else 'dense'}"
        for layer in range(layers)
    ]
    blocks = {
        f"{one}_{two}": {"mixer": mixer, "feed_forward": forward}
        for one, mixer in mixers.items()
        for two, forward in forwards.items()
    }
    return size | {"norm": norm, "head": head(hub, False)} | patterned(names, blocks)


ARCHITECTURES = {
    "mamba": mamba, "falcon_mamba": falcon_mamba, "mamba2": mamba2, "bamba": bamba, "falcon_h1": falcon_h1, "jamba": jamba,
}  # fmt: skip
