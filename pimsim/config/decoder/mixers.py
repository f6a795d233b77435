"""What mixes tokens: attention of any head layout, latent attention, state spaces, and attention beside a state space."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.decoder.norm import NormSpec
from pimsim.config.model import SpecModel, unit

Heads = Annotated[int, Field(ge=1, le=4096)]
Width = Annotated[int, Field(ge=1, le=1 << 24)]
Positive = Annotated[float, Field(gt=0)]


class QueryKeyNorm(SpecModel):
    """Norm of queries and keys before rotation: over each head or the whole width, weights shared by the heads or not."""

    over: Literal["head", "whole"] = unit("1", "what is normed at once", default="head")
    norm: NormSpec
    own_weights: bool = unit("1", "whether each head has weights of its own", default=False)


class AttentionSpec(SpecModel):
    """Softmax attention. Each of ``kv_heads`` K and V heads serves ``heads / kv_heads`` query heads."""

    kind: Literal["attention"] = "attention"
    heads: Heads = unit("heads", "query heads")
    kv_heads: Heads = unit("heads", "K and V heads")
    head_width: Width = unit("elements", "width of a head of Q and K")
    value_width: Width | None = unit("elements", "width of a head of V; head_width if not given", default=None)
    window: Width | None = unit("tokens", "positions seen, the token's own included; all if not given", default=None)
    bias: bool = unit("1", "whether Q, K and V products have biases", default=False)
    key_bias: bool = unit("1", "whether K has one where Q and V have", default=True)
    out_bias: bool = unit("1", "whether the output product has a bias", default=False)
    fused: bool = unit("1", "whether Q, K and V are one matrix", default=False)
    stored_order: Literal["q_k_v", "by_head", "by_group", "by_part_q_v_k"] = unit(
        "1", "order of the rows of the fused matrix in a file of weights", default="q_k_v"
    )
    stored_parts: Annotated[int, Field(ge=1, le=64)] = unit("parts", "equal parts of by_part_q_v_k", default=1)
    qk_norm: QueryKeyNorm | None = unit("1", "norm of queries and keys", default=None)
    rotate: bool = unit("1", "whether rotary positions turn its queries and keys", default=True)
    scale: Positive | None = unit("1", "multiplies the scores; head_width^-0.5 if not given", default=None)
    soft_cap: Positive | None = unit("1", "scores become cap x tanh(score / cap)", default=None)
    clip: Positive | None = unit("1", "queries, keys and values are clipped to plus and minus this", default=None)
    scale_out: float = unit("1", "multiplies the output", default=1.0)
    sinks: bool = unit("1", "whether each head's softmax has a stored extra score", default=False)

    @model_validator(mode="after")
    def _grouped(self) -> AttentionSpec:
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads {self.kv_heads}")
        return self

    @property
    def value_head_width(self) -> int:
        """Elements of a head of V."""
        return self.value_width or self.head_width

    @property
    def score_scale(self) -> float:
        """What scores are multiplied by."""
        return self.head_width**-0.5 if self.scale is None else self.scale


class LatentAttentionSpec(SpecModel):
    """Multi-head latent attention: K and V unfold from one latent a token, beside one rotated key that serves all heads."""

    kind: Literal["latent_attention"] = "latent_attention"
    heads: Heads = unit("heads", "attention heads")
    latent_width: Width = unit("elements", "width of the stored latent")
    plain_width: Width = unit("elements", "part of a head of Q and K that does not rotate")
    rotary_width: Width = unit("elements", "part of a head of Q and K that rotates; the key's is stored")
    value_width: Width = unit("elements", "width of a head of V")
    query_latent_width: Width | None = unit("elements", "width of the low-rank query; none if not given", default=None)
    bias: bool = unit("1", "whether the products into the latents and out of the heads have biases", default=False)
    inner_norm: NormSpec = unit("1", "norm of the latents", default=NormSpec(kind="rms", epsilon=1e-6))
    scale: Positive | None = unit("1", "multiplies the scores; (plain_width + rotary_width)^-0.5 if not given", default=None)

    @property
    def head_width(self) -> int:
        """Elements of a head of Q and K."""
        return self.plain_width + self.rotary_width

    @property
    def score_scale(self) -> float:
        """What scores are multiplied by."""
        return self.head_width**-0.5 if self.scale is None else self.scale


class Mamba1Spec(SpecModel):
    """Mamba: a state of ``state_width`` numbers for each of ``inner_width`` channels; step, B and C from the token."""

    kind: Literal["mamba1"] = "mamba1"
    inner_width: Width = unit("elements", "channels")
    state_width: Width = unit("elements", "numbers of state a channel")
    step_rank: Width = unit("elements", "rank of the step's projection")
    conv_width: Annotated[int, Field(ge=1, le=64)] = unit("tokens", "width of the convolution", default=4)
    conv_bias: bool = unit("1", "whether the convolution has a bias", default=True)
    bias: bool = unit("1", "whether the products in and out have biases", default=False)
    inner_norm: NormSpec | None = unit("1", "norm of step, B and C", default=None)
    activation: Literal["silu", "gelu", "gelu_erf", "relu"] = unit("1", "after the convolution, and of the gate", default="silu")
    state_in: Literal["asic", "dram"] = unit("1", "where the state lives", default="asic")


class Mamba2Spec(SpecModel):
    """Mamba-2: heads of channels with one decay each; B and C shared by the heads of a group; a gated norm."""

    kind: Literal["mamba2"] = "mamba2"
    heads: Heads = unit("heads", "heads")
    head_width: Width = unit("elements", "channels of a head")
    state_width: Width = unit("elements", "numbers of state a channel")
    groups: Heads = unit("groups", "groups of heads that share B and C", default=1)
    conv_width: Annotated[int, Field(ge=1, le=64)] = unit("tokens", "width of the convolution", default=4)
    conv_bias: bool = unit("1", "whether the convolution has a bias", default=True)
    bias: bool = unit("1", "whether the products in and out have biases", default=False)
    gated_norm: NormSpec | None = unit("1", "norm after the gate; none if not given", default=NormSpec(kind="rms"))
    norm_groups: Heads = unit("groups", "parts of the gated norm", default=1)
    norm_before_gate: bool = unit("1", "whether the norm comes before the gate's product", default=False)
    step_limit: tuple[float, float] | None = unit("1", "the step is kept between these", default=None, strict=False)
    activation: Literal["silu", "gelu", "gelu_erf", "relu"] = unit("1", "after the convolution, and of the gate", default="silu")
    multipliers: list[float] | None = unit("1", "of gate, x, B, C and step after the product in", default=None)
    scale_in: float = unit("1", "multiplies the input", default=1.0)
    scale_out: float = unit("1", "multiplies the output", default=1.0)
    state_in: Literal["asic", "dram"] = unit("1", "where the state lives", default="asic")

    @model_validator(mode="after")
    def _grouped(self) -> Mamba2Spec:
        if self.heads % self.groups:
            raise ValueError(f"heads {self.heads} is not a multiple of groups {self.groups}")
        if self.inner_width % self.norm_groups:
            raise ValueError(f"inner width {self.inner_width} is not a multiple of norm_groups {self.norm_groups}")
        return self

    @property
    def inner_width(self) -> int:
        """Channels."""
        return self.heads * self.head_width

    @property
    def conv_channels(self) -> int:
        """Channels of the convolution: x, B and C."""
        return self.inner_width + 2 * self.groups * self.state_width


class NoMixer(SpecModel):
    """No mixing of tokens: a layer that is a feed-forward alone."""

    kind: Literal["none"] = "none"


Mixer = Annotated[AttentionSpec | LatentAttentionSpec | Mamba1Spec | Mamba2Spec | NoMixer, Field(discriminator="kind")]
