"""A model's counts as they are commonly given: parameters, what a token adds to K and V, state, multiply-accumulates, by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pimsim.config.decoder.mixers import AttentionSpec, LatentAttentionSpec
from pimsim.workload.counts import op_macs
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Cache

ATTENTION_KINDS = ("scores", "context")
STATE_KINDS = ("state_update",)


def counts(model: DecoderModel, context: int, encoder: int | None = None) -> dict[str, Any]:
    """Counts of one decoded token that sees ``context`` positions (its own included), and ``encoder`` of an encoder (as many).

    ``linear_macs``: elements of every matrix that the token meets; of experts, the chosen ones. ``attention_macs``: query heads x (width of
    K + width of V) x positions seen, with K and V unfolded where a latent is kept. ``kv_elements_per_token``: what is kept, each element
    once. The encoder's own work, and cross-attention's K and V, are done once and not in these.
    """
    seen = context if encoder is None else encoder
    parts: dict[str, dict[str, int]] = {}
    for name, tensors in _tensors_by_part(model):
        parts.setdefault(name, _empty())["parameters"] += tensors
    for section in model.sections():
        for op in section.ops:
            if op.kind in ATTENTION_KINDS or op.kind in STATE_KINDS:
                continue
            parts.setdefault(part_of(op.name), _empty())["linear_macs"] += section.times * op_macs(op, 1)
    attended = sum(_attended(model, layer, context, seen) for layer in range(model.spec.layers))
    parts.setdefault("attention", _empty())["attention_macs"] += attended
    state = sum(section.times * op_macs(op, 1) for section in model.sections() for op in section.ops if op.kind in STATE_KINDS)
    if state:
        parts.setdefault("state_space", _empty())["state_space_macs"] += state
    own = [cache for cache in model.caches_of("decoder") if not cache.of_encoder and not cache.copy]
    total = {key: sum(part[key] for part in parts.values()) for key in _empty()}
    found: dict[str, Any] = {
        "parameters": model.parameters,
        "kv_elements_per_token": _elements(own, ("key", "value")),
        "kv_elements_per_token_expanded": _expanded(model),
        "state_elements": _elements(own, ("state",)),
        "cross_kv_elements_per_encoder_token": _elements(
            [cache for cache in model.caches_of("decoder") if cache.of_encoder], ("key", "value")
        ),
        "linear_macs": total["linear_macs"],
        "attention_macs": total["attention_macs"],
        "state_space_macs": total["state_space_macs"],
        "macs": total["linear_macs"] + total["attention_macs"] + total["state_space_macs"],
        "context": context,
        "layers": model.spec.layers,
        "parts": {name: {key: value for key, value in part.items() if value} for name, part in sorted(parts.items())},
    }
    assert total["parameters"] == model.parameters
    return found


def part_of(name: str) -> str:
    """The part of a model that an operation or a tensor (without its layer) belongs to."""
    stem = name.split(".")[0]
    if stem in ("wte", "wpe", "embedding", "project_in", "add_position"):
        return "embedding"
    if stem in ("lm_head", "project_out", "select", "logit_scale", "logit_cap"):
        return "head"
    if "norm" in stem.split("_") or stem.startswith(("ln", "norm", "post_", "q_norm", "k_norm")):
        return "norms"
    if stem.startswith("cross_"):
        return "cross_attention"
    if stem.startswith(("expert_", "shared_", "router", "route", "combine")):
        return "experts"
    if stem.startswith(("ffn", "gate_up", "up", "down")) or stem == "gate":
        return "feed_forward"
    if stem.removeprefix("side_").startswith(("in_proj", "x_proj", "step", "out_proj", "conv", "a_log", "d", "state")):
        return "state_space"
    return "attention"


def _empty() -> dict[str, int]:
    return {"parameters": 0, "linear_macs": 0, "attention_macs": 0, "state_space_macs": 0}


def _tensors_by_part(model: DecoderModel) -> Iterator[tuple[str, int]]:
    for tensor in model.tensors:
        if tensor.counted:
            first, _, rest = tensor.name.partition(".")
            in_encoder = first.startswith("enc_") or (rest and first[0] == "e" and first[1:].isdigit())
            layered = rest and first[1:].isdigit()
            yield ("encoder" if in_encoder else part_of(rest if layered else first)), tensor.elements


def _attended(model: DecoderModel, layer: int, context: int, encoder: int) -> int:
    block, total = model.spec.block(layer), 0
    for mixer in block.mixers:
        if isinstance(mixer, AttentionSpec):
            seen = context if mixer.window is None else min(context, mixer.window)
            total += mixer.heads * (mixer.head_width + mixer.value_head_width) * seen
        elif isinstance(mixer, LatentAttentionSpec):
            total += mixer.heads * (mixer.head_width + mixer.value_width) * context
    if block.cross is not None:
        total += block.cross.heads * (block.cross.head_width + block.cross.value_head_width) * encoder
    return total


def _elements(caches: list[Cache], uses: tuple[str, ...]) -> int:
    return sum(cache.elements_a_position for cache in caches if cache.use in uses)


def _expanded(model: DecoderModel) -> int:
    """K and V elements a token with K and V unfolded where a latent is kept."""
    total = 0
    for _, mixer in model.spec.all_mixers():
        if isinstance(mixer, AttentionSpec):
            total += mixer.kv_heads * (mixer.head_width + mixer.value_head_width)
        elif isinstance(mixer, LatentAttentionSpec):
            total += mixer.heads * (mixer.head_width + mixer.value_width)
    return total
