"""Embedding, residual wiring and head: what stands around mixers and feed-forwards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pimsim.config.decoder.norm import NormSpec
from pimsim.config.model import SpecModel, unit

Width = Annotated[int, Field(ge=1, le=1 << 24)]


class EmbeddingSpec(SpecModel):
    """Token embedding."""

    width: Width | None = unit(
        "elements", "width of its rows; d_model if not given, else a product leads to d_model", default=None
    )
    scale: float = unit("1", "multiplies the rows", default=1.0)
    norm: bool = unit("1", "whether a norm follows", default=False)
    own_norm: NormSpec | None = unit("1", "that norm where it differs from the layers'", default=None)


class ResidualSpec(SpecModel):
    """How a layer's branches meet the residual stream."""

    order: Literal["sequential", "parallel"] = unit(
        "1", "feed-forward after the mixer, or both on the same input", default="sequential"
    )
    norm_before: bool = unit("1", "whether a branch's input is normed", default=True)
    norm_branch: bool = unit("1", "whether a branch's output is normed before it is added", default=False)
    norm_after: bool = unit("1", "whether the sum is normed", default=False)
    norms: Literal[1, 2] = unit("norms", "parallel: one norm for both branches or one for each", default=2)
    scale: float = unit("1", "multiplies each branch's output", default=1.0)


class HeadSpec(SpecModel):
    """Final norm and the product that gives a number for each token of the vocabulary."""

    tied: bool = unit("1", "whether its matrix is the token embedding", default=True)
    bias: bool = unit("1", "whether it has a bias", default=False)
    norm: bool = unit("1", "whether a norm comes before", default=True)
    scale: float = unit("1", "multiplies the logits", default=1.0)
    soft_cap: Annotated[float, Field(gt=0)] | None = unit("1", "logits become cap x tanh(logit / cap)", default=None)
