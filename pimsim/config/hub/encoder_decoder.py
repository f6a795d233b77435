"""Encoder-decoders: T5 and BART."""

from __future__ import annotations

from typing import Any

from pimsim.config.hub.common import ACTIVATIONS, activation, head, layer_norm, reserved
from pimsim.config.hub.reader import HubConfig

Parts = dict[str, Any]
# A model without a longest input: positions are relative.
_USUAL_INPUT = 512


def t5(hub: HubConfig) -> Parts:
    """T5, its gated successors and CodeT5: relative buckets, RMS norms, scores not scaled."""
    d_model, layers = hub.whole("d_model"), hub.whole("num_layers")
    heads, width = hub.whole("num_heads"), hub.whole("d_kv", default=64)
    hub.refuse("is_decoder", False)
    mixer = {"kind": "attention", "heads": heads, "kv_heads": heads, "head_width": width, "scale": 1.0}
    shared: Parts = {
        "d_model": d_model,
        "positions": {
            "kind": "relative_buckets",
            "buckets": hub.whole("relative_attention_num_buckets", default=32),
            "max_distance": hub.whole("relative_attention_max_distance", default=128),
        },
        "norm": {"kind": "rms", "epsilon": hub.number("layer_norm_epsilon", default=1e-6)},
        "mixer": mixer,
        "feed_forward": _t5_feed_forward(hub),
    }
    context = reserved(hub, "n_positions", _USUAL_INPUT)
    tied = hub.flag("tie_word_embeddings", default=True)
    scaled = hub.flag("scale_decoder_outputs", default=bool(tied))
    return shared | {
        "layers": hub.whole("num_decoder_layers", default=layers),
        "vocabulary": hub.whole("vocab_size", default=32128),
        "max_context": context,
        "cross": mixer,
        "encoder": shared | {"layers": layers, "max_tokens": context},
        "head": head(hub, True) | ({"scale": d_model**-0.5} if scaled else {}),
    }


def _t5_feed_forward(hub: HubConfig) -> Parts:
    said = hub.text("feed_forward_proj", default="relu")
    hub.ignore("is_gated_act", "dense_act_fn")
    gated, _, name = said.rpartition("-")
    if gated not in ("", "gated") or name not in ACTIVATIONS:
        raise hub.wrong("feed_forward_proj", f"is not modelled; allowed: gated- or nothing, then {', '.join(ACTIVATIONS)}")
    act = "gelu" if said == "gated-gelu" else ACTIVATIONS[name]
    width = hub.whole("d_ff")
    return {"kind": "gated" if gated else "dense", "width": width, "activation": act, "bias": False}


def bart(hub: HubConfig) -> Parts:
    """BART: learned positions from row 2 on, norms after each branch and after the embedding."""
    return _bart(hub, before=False, scaled=False)


def mbart(hub: HubConfig) -> Parts:
    """mBART: BART with norms before each branch and at the end of both stacks."""
    return _bart(hub, before=True, scaled=False)


def plbart(hub: HubConfig) -> Parts:
    """PLBART: BART with a scaled embedding."""
    return _bart(hub, before=False, scaled=True)


def _bart(hub: HubConfig, before: bool, scaled: bool) -> Parts:
    d_model = hub.whole("d_model", "hidden_size")
    act = activation(hub, "activation_function", default="gelu")
    rows = hub.whole("max_position_embeddings", default=1024)
    hub.ignore(
        "num_hidden_layers", "hidden_size", "normalize_before", "normalize_embedding", "add_final_layer_norm", "add_bias_logits"
    )
    hub.ignore("static_position_embeddings", "extra_pos_embeddings")
    hub.refuse("normalize_before", before)
    hub.refuse("add_final_layer_norm", before)
    hub.refuse("normalize_embedding", True)
    hub.refuse("static_position_embeddings", False)
    scale = {"scale": d_model**0.5} if hub.flag("scale_embedding", default=scaled) else {}
    common: Parts = {
        "d_model": d_model,
        "embedding": scale | {"norm": True},
        "positions": {"kind": "learned", "rows": rows + 2, "offset": 2},
        "norm": layer_norm(hub, "layer_norm_eps"),
        "residual": {"norm_before": before, "norm_after": not before},
    }
    context = reserved(hub, "max_position_embeddings", 1024)
    stacks = {}
    for name, layers in (("encoder", "encoder_layers"), ("decoder", "decoder_layers")):
        heads = hub.whole(f"{name}_attention_heads", "num_attention_heads")
        if d_model % heads:
            raise hub.wrong(f"{name}_attention_heads", f"does not divide d_model {d_model}")
        mixer = {
            "kind": "attention",
            "heads": heads,
            "kv_heads": heads,
            "head_width": d_model // heads,
            "bias": True,
            "out_bias": True,
        }
        forward = {"kind": "dense", "width": hub.whole(f"{name}_ffn_dim"), "activation": act}
        stacks[name] = common | {"layers": hub.whole(layers, "num_hidden_layers"), "mixer": mixer, "feed_forward": forward}
    return stacks["decoder"] | {
        "vocabulary": hub.whole("vocab_size"),
        "max_context": context,
        "cross": stacks["decoder"]["mixer"],
        "encoder": stacks["encoder"] | {"max_tokens": context, "final_norm": before},
        "head": head(hub, True, norm=before, bias=True),
    }


ARCHITECTURES = {"t5": t5, "mt5": t5, "bart": bart, "mbart": mbart, "plbart": plbart}
