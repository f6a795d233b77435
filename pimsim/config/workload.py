"""Schema of a workload file: a decoder-only model and the default request."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.model import Source, SpecModel, unit

Size = Annotated[int, Field(ge=1, le=1 << 24)]


class ModelSpec(SpecModel):
    """Shape of a decoder-only model. ``family`` picks the graph; a family may need more keys (see workload/families)."""

    family: Literal["gpt2", "llama"] = unit("1", "decoder graph")
    layers: Annotated[int, Field(ge=1, le=1000)] = unit("layers", "decoder layers")
    d_model: Size = unit("elements", "width of the residual stream")
    heads: Annotated[int, Field(ge=1, le=4096)] = unit("heads", "attention heads")
    d_ff: Size = unit("elements", "width of the feed-forward part")
    vocabulary: Size = unit("tokens", "rows of the token embedding")
    max_context: Size = unit("tokens", "longest context; K and V space is reserved for it")
    kv_heads: Annotated[int, Field(ge=1, le=4096)] | None = unit("heads", "heads of K and V; heads if not given", default=None)
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


class RequestSpec(SpecModel):
    """Default request: tokens in the prompt and tokens to generate."""

    prompt_tokens: Annotated[int, Field(ge=1)] = unit("tokens", "tokens in the prompt", default=1)
    generate_tokens: Annotated[int, Field(ge=1)] = unit("tokens", "tokens to generate", default=1024)
    source: Source


class WorkloadSpec(SpecModel):
    """A validated workload description. ``labels`` are further names under which measurements list the model."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    description: str = ""
    source: Source
    labels: list[str] = unit("1", "further names under which measurements list it", default_factory=list)
    model: ModelSpec
    request: RequestSpec
