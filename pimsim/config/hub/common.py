"""What many architectures' files have in common: sizes, norms, activations, heads, patterns of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pimsim.config.hub.reader import HubConfig, Text
from pimsim.errors import nearest

# Names of activations in hub files. "gelu" there is the exact one; the others are the tanh form.
ACTIVATIONS = {
    "gelu": "gelu_erf", "gelu_python": "gelu_erf", "gelu_new": "gelu", "gelu_fast": "gelu", "gelu_pytorch_tanh": "gelu",
    "gelu_accurate": "gelu", "relu": "relu", "relu2": "relu2", "silu": "silu", "swish": "silu", "quick_gelu": "quick_gelu",
    "sigmoid": "sigmoid", "tanh": "tanh", "linear": "identity",
}  # fmt: skip
# K and V space is reserved for the whole context: of longer ones, this much, unless the user asks for more.
RESERVED_CONTEXT = 8192


def sizes(hub: HubConfig, context: str = "max_position_embeddings", default_context: int | None = None) -> dict[str, Any]:
    """Layers, width, vocabulary and context."""
    return {
        "layers": hub.whole("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
        "d_model": hub.whole("hidden_size", "n_embd", "d_model", "n_embed"),
        "vocabulary": hub.whole("vocab_size"),
        "max_context": reserved(hub, context, default_context),
    }


def reserved(hub: HubConfig, key: str, default: int | None = None) -> Any:
    """The longest context, or RESERVED_CONTEXT if that is less."""
    longest = hub.whole(key, default=default) if default else hub.whole(key)
    if longest <= RESERVED_CONTEXT:
        return longest
    return Reserved(
        RESERVED_CONTEXT, f"assumed: {longest:,} in the file ({key}); K and V space is reserved for {RESERVED_CONTEXT:,}"
    )


class Reserved(int):
    """A number that is not the file's."""

    source: str

    def __new__(cls, value: int, source: str) -> Reserved:
        found = super().__new__(cls, value)
        found.source = source
        return found


def activation(hub: HubConfig, *keys: str, default: str | None = None, names: dict[str, str] | None = None) -> Any:
    """The activation that a key names. Raises ConfigError naming the nearest."""
    known = names or ACTIVATIONS
    found = hub.text(*keys, default=default) if default else hub.text(*keys)
    if found not in known:
        key = next((key for key in keys if hub.values.get(key) is not None), keys[0])
        raise hub.wrong(key, f"is not an activation that is modelled{nearest(str(found), known)}; allowed: {', '.join(known)}")
    said = Text(known[found])
    said.source = getattr(found, "source", "")
    return said if said.source else known[found]


def attention(hub: HubConfig, d_model: int, *, kv_default: int | None = None, head_default: int | None = None) -> dict[str, Any]:
    """Heads, K and V heads and their width."""
    heads = hub.whole("num_attention_heads", "n_head", "num_heads", "n_heads")
    kv_heads = hub.whole("num_key_value_heads", default=None)
    head_width = hub.whole("head_dim", default=head_default)
    kv_heads = (heads if kv_default is None else kv_default) if kv_heads is None else kv_heads
    if head_width is None:
        if d_model % heads:
            raise hub.wrong("num_attention_heads", f"does not divide the width {d_model}")
        head_width = d_model // heads
    if heads % kv_heads:
        raise hub.wrong("num_attention_heads", f"is not a multiple of {kv_heads} key and value heads")
    return {"kind": "attention", "heads": heads, "kv_heads": kv_heads, "head_width": head_width}


def rms(hub: HubConfig, *keys: str, default: float = 1e-6, one_plus: bool = False) -> dict[str, Any]:
    """An RMS norm."""
    found = {"kind": "rms", "epsilon": hub.number(*(keys or ("rms_norm_eps",)), default=default)}
    return found | ({"one_plus": True} if one_plus else {})


def layer_norm(hub: HubConfig, *keys: str, default: float = 1e-5, bias: Any = True) -> dict[str, Any]:
    """A LayerNorm."""
    return {"kind": "layer", "epsilon": hub.number(*keys, default=default), "bias": bias}


def head(hub: HubConfig, tied: bool, **more: Any) -> dict[str, Any]:
    """The head; ``tied`` if the file does not say."""
    return {"tied": hub.flag("tie_word_embeddings", default=tied)} | more


def windows(hub: HubConfig, layers: int, window: Any, sliding: Sequence[bool]) -> list[bool]:
    """Which layers have the window: as ``layer_types`` says, or ``sliding`` where it does not. Raises ConfigError."""
    kinds = hub.texts("layer_types", default=None)
    if kinds is None:
        return list(sliding) if window is not None else [False] * layers
    return [kind == "sliding_attention" for kind in checked_kinds(hub, kinds, layers, ("full_attention", "sliding_attention"))]


def checked_kinds(hub: HubConfig, kinds: list[str], layers: int, allowed: Sequence[str]) -> list[str]:
    """``layer_types``, one of ``allowed`` for each layer. Raises ConfigError."""
    if len(kinds) != layers:
        raise hub.wrong("layer_types", f"has {len(kinds)} entries for {layers} layers")
    for kind in kinds:
        if kind not in allowed:
            raise hub.wrong("layer_types", f"has '{kind}', which is not modelled; allowed: {', '.join(allowed)}")
    return kinds


def pattern(names: Sequence[str]) -> list[str]:
    """A list of block names, neighbours that are equal as ``name*times``; of a period that comes at least twice, one."""
    periods = [p for p in range(1, len(names) // 2 + 1) if all(names[i] == names[i % p] for i in range(len(names)))]
    period = (*periods, len(names))[0]
    found: list[tuple[str, int]] = []
    for name in names[:period]:
        if found and found[-1][0] == name:
            found[-1] = name, found[-1][1] + 1
        else:
            found.append((name, 1))
    return [name if times == 1 else f"{name}*{times}" for name, times in found]


def patterned(names: Sequence[str], blocks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """``blocks`` and ``pattern`` for layers called ``names``; the parts themselves where all layers are alike."""
    if len(set(names)) == 1:
        return dict(blocks[names[0]])
    return {"blocks": {name: blocks[name] for name in dict.fromkeys(names)}, "pattern": pattern(names)}


def windowed(
    sliding: Sequence[bool], window: Any, full: dict[str, Any] | None = None, local: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Blocks for layers with and without a window, each with further changes."""
    if not any(sliding):
        return {**(full or {})}
    near = {**(local or {})}
    near["mixer"] = {**near.get("mixer", {}), "window": window}
    return patterned(["window" if one else "full" for one in sliding], {"window": near, "full": {**(full or {})}})
