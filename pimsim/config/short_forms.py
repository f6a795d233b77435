"""``family: gpt2`` and ``family: llama``: short forms of descriptions, written out into parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pimsim.config.decoder.model import DecoderSpec, Layers, Size, merged
from pimsim.config.model import Source, SpecModel, unit

_Heads = Annotated[int, Field(ge=1, le=4096)]


class ModelSpec(SpecModel):
    """Shape of a decoder-only model of a well-known family. Keys of the parts may stand beside and change them."""

    family: Literal["gpt2", "llama"] = unit("1", "what the parts are")
    layers: Layers = unit("layers", "decoder layers")
    d_model: Size = unit("elements", "width of the residual stream")
    heads: _Heads = unit("heads", "attention heads")
    d_ff: Size = unit("elements", "width of the feed-forward part")
    vocabulary: Size = unit("tokens", "rows of the token embedding")
    max_context: Size = unit("tokens", "longest context; K and V space is reserved for it")
    kv_heads: _Heads | None = unit("heads", "heads of K and V; heads if not given", default=None)
    d_head: Size | None = unit("elements", "width of a head; d_model / heads if not given", default=None)
    tied_embeddings: bool = unit("1", "whether the LM head is the token embedding", default=True)
    qkv_bias: bool = unit("1", "whether Q, K and V products have biases (family llama)", default=False)
    source: Source

    @model_validator(mode="after")
    def _shape(self) -> ModelSpec:
        if self.d_head is None and self.d_model % self.heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of heads {self.heads}; give d_head")
        if self.heads % self.key_value_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads {self.key_value_heads}")
        if self.family == "llama" and self.head_width % 2:
            raise ValueError(f"d_head {self.head_width} must be even: rotary positions turn pairs of elements")
        if self.family == "gpt2" and self.qkv_bias:
            raise ValueError("qkv_bias is for family llama: family gpt2 has biases everywhere")
        if self.family == "gpt2" and (self.kv_heads or self.heads) != self.heads:
            raise ValueError(f"kv_heads {self.kv_heads}: family gpt2 has as many K and V heads as heads ({self.heads})")
        return self

    @property
    def head_width(self) -> int:
        """Elements of one head."""
        return self.d_head or self.d_model // self.heads

    @property
    def key_value_heads(self) -> int:
        """Heads of K and V (fewer than ``heads`` with grouped queries)."""
        return self.kv_heads or self.heads

    def parts(self, changes: Mapping[str, Any] | None = None) -> DecoderSpec:
        """The description in parts, with ``changes`` to them. Raises ValidationError for changes that do not fit."""
        common = {
            "layers": self.layers, "d_model": self.d_model, "vocabulary": self.vocabulary,
            "max_context": self.max_context, "source": self.source, "origin": self.family,
        }  # fmt: skip
        written_out = common | (_gpt2 if self.family == "gpt2" else _llama)(self)
        return DecoderSpec.model_validate(merged(written_out, changes or {}))


# What a short form's keys are called among the parts.
_LONG = {
    "heads": ("mixer", "heads"), "kv_heads": ("mixer", "kv_heads"), "d_head": ("mixer", "head_width"), "qkv_bias": ("mixer", "bias"),
    "d_ff": ("feed_forward", "width"), "tied_embeddings": ("head", "tied"),
}  # fmt: skip


def long_names(model: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a description in parts, with keys of the short form moved to the part that they mean, if it is there.

    So that ``--set workload.model.d_ff=1024`` works on both.
    """
    found = dict(model)
    for key, (part, name) in _LONG.items():
        group = found.get(part)
        if key in found and isinstance(group, Mapping) and (part != "mixer" or group.get("kind") == "attention"):
            found[part] = {**group, name: found.pop(key)}
    return found


def _attention(model: ModelSpec) -> dict[str, Any]:
    return {
        "kind": "attention", "heads": model.heads, "kv_heads": model.key_value_heads, "head_width": model.head_width,
    }  # fmt: skip


def _gpt2(model: ModelSpec) -> dict[str, Any]:
    """Pre-norm LayerNorm, learned positions, biases, fused products, GELU."""
    return {
        "positions": {"kind": "learned"},
        "norm": {"kind": "layer", "epsilon": 1e-5},
        "mixer": _attention(model) | {"bias": True, "out_bias": True, "fused": True},
        "feed_forward": {"kind": "dense", "width": model.d_ff, "activation": "gelu", "bias": True},
        "head": {"tied": model.tied_embeddings},
    }


def _llama(model: ModelSpec) -> dict[str, Any]:
    """Pre-norm RMSNorm, rotary positions, grouped-query attention, gated feed-forward."""
    return {
        "positions": {"kind": "rotary"},
        "norm": {"kind": "rms", "epsilon": 1e-5},
        "mixer": _attention(model) | {"bias": model.qkv_bias},
        "feed_forward": {"kind": "gated", "width": model.d_ff, "activation": "silu"},
        "head": {"tied": model.tied_embeddings},
    }
