"""Feed-forward parts: dense, gated, mixtures of experts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.model import SpecModel, unit

Width = Annotated[int, Field(ge=1, le=1 << 24)]
Count = Annotated[int, Field(ge=1, le=4096)]
Activation = Literal["gelu", "gelu_erf", "relu", "relu2", "silu", "quick_gelu", "sigmoid", "tanh", "identity"]


class DenseSpec(SpecModel):
    """Product, activation, product."""

    kind: Literal["dense"] = "dense"
    width: Width = unit("elements", "inner width")
    activation: Activation = unit("1", "gelu is the tanh form, gelu_erf the exact one", default="gelu")
    bias: bool = unit("1", "whether both products have biases", default=True)


class GatedSpec(SpecModel):
    """Two products side by side, the activated one multiplied into the other, and a product back."""

    kind: Literal["gated"] = "gated"
    width: Width = unit("elements", "inner width")
    activation: Activation = unit("1", "of the gate", default="silu")
    bias: bool = unit("1", "whether all products have biases", default=False)
    fused: bool = unit("1", "whether gate and up are one matrix", default=False)
    gate_scale: float = unit("1", "multiplies the gate before its activation", default=1.0)
    down_scale: float = unit("1", "multiplies the output", default=1.0)


class RouterSpec(SpecModel):
    """Which experts run: a score for each, the best ``chosen`` of them, and what multiplies their outputs."""

    scores: Literal["softmax", "sigmoid", "softmax_of_chosen"] = unit("1", "scores from the router's product", default="softmax")
    renormalise: bool = unit("1", "whether the chosen experts' scores are divided by their sum", default=False)
    scale: float = unit("1", "multiplies the chosen experts' scores", default=1.0)
    bias: bool = unit("1", "whether the router's product has a bias", default=False)
    correction: bool = unit("1", "whether a stored number for each expert is added for choosing only", default=False)
    groups: Count = unit("groups", "groups of experts", default=1)
    chosen_groups: Count = unit("groups", "groups that experts are chosen from", default=1)
    group_score: Literal["best", "sum_of_two_best"] = unit("1", "what groups are chosen by", default="best")


class ExpertsSpec(SpecModel):
    """A mixture of ``count`` feed-forward parts of which ``chosen`` run for a token, beside shared ones that always run."""

    kind: Literal["experts"] = "experts"
    count: Count = unit("experts", "routed experts")
    chosen: Count = unit("experts", "routed experts that run for a token")
    width: Width = unit("elements", "inner width of an expert")
    gated: bool = unit("1", "whether an expert is gated", default=True)
    activation: Activation | Literal["clamped_swiglu"] = unit(
        "1", "of an expert; clamped_swiglu: gate and up clamped, gate x sigmoid(1.702 gate), up + 1", default="silu"
    )
    limit: Annotated[float, Field(gt=0)] | None = unit("1", "bound of clamped_swiglu", default=None)
    bias: bool = unit("1", "whether an expert's products have biases", default=False)
    router: RouterSpec = RouterSpec()
    shared_width: Annotated[int, Field(ge=0, le=1 << 24)] = unit(
        "elements", "inner width of all shared experts together", default=0
    )
    shared_gate: bool = unit("1", "whether a sigmoid of the token multiplies the shared experts' output", default=False)
    stored: Literal["separate", "fused_gate_up", "interleaved_gate_up"] = unit(
        "1", "how a file of weights holds gate and up", default="separate"
    )

    @model_validator(mode="after")
    def _choice(self) -> ExpertsSpec:
        if self.chosen > self.count:
            raise ValueError(f"chosen {self.chosen} is more than the {self.count} experts there are")
        router = self.router
        if self.count % router.groups:
            raise ValueError(f"count {self.count} is not a multiple of router.groups {router.groups}")
        if router.chosen_groups > router.groups:
            raise ValueError(f"router.chosen_groups {router.chosen_groups} is more than router.groups {router.groups}")
        if self.chosen > router.chosen_groups * (self.count // router.groups):
            raise ValueError(f"chosen {self.chosen} experts are not in {router.chosen_groups} of {router.groups} groups")
        if (self.activation == "clamped_swiglu") != (self.limit is not None):
            raise ValueError("limit and activation clamped_swiglu need each other")
        return self


class NoFeedForward(SpecModel):
    """A layer that is a mixer alone."""

    kind: Literal["none"] = "none"


FeedForward = Annotated[DenseSpec | GatedSpec | ExpertsSpec | NoFeedForward, Field(discriminator="kind")]
