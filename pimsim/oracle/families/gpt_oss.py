"""GPT-OSS: attention sinks, windows in every other layer, experts with clamped gates and biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pimsim.oracle.arrays import Floats
from pimsim.oracle.blocks import Branch
from pimsim.oracle.experts import Experts, Router
from pimsim.oracle.families.llama import Llama
from pimsim.oracle.families.mixtures import EXPERTS, chosen_of
from pimsim.oracle.families.windows import SLIDING, layer_types
from pimsim.oracle.functions import sigmoid
from pimsim.oracle.linear import Linear
from pimsim.oracle.tensors import Tensors


@dataclass(frozen=True, eq=False)
class ClampedGated:
    """``down(gate x logistic(steepness x gate) x (up + 1))``, the gate at most ``limit``, up between -limit and limit."""

    gate: Linear
    up: Linear
    down: Linear
    limit: float
    steepness: float

    def __call__(self, x: Floats) -> Floats:
        """x (rows, width) to (rows, width)."""
        gate, up = np.minimum(self.gate(x), self.limit), np.clip(self.up(x), -self.limit, self.limit)
        return self.down(gate * sigmoid(self.steepness * gate) * (up + 1))


class GptOss(Llama):
    """Gate and up in alternate columns; expert tensors stored (expert, inputs, outputs)."""

    eps_default, theta = 1e-5, 150000.0

    def biases(self) -> tuple[bool, bool]:
        bias = self.config.flag("attention_bias", default=True)
        return bias, bias

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=128)
        kinds = layer_types(self.config, self.sizes.layers, lambda layer: layer % 2 == 0)
        return window if kinds[layer] == SLIDING else None  # type: ignore[no-any-return]

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        return super().attention_parts(layer, tensors) | {"sinks": tensors.take("sinks", self.sizes.heads)}

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        count, inner, width = (
            self.config.integer(*EXPERTS, default=128),
            self.config.integer("intermediate_size"),
            self.sizes.width,
        )
        self.config.only("hidden_act", "silu")
        limit, steepness = self.config.number("swiglu_limit", default=7.0), self.config.number("swiglu_alpha", default=1.702)
        inside = tensors.below("experts")
        both, both_bias = inside.take("gate_up_proj", count, width, 2 * inner), inside.take("gate_up_proj_bias", count, 2 * inner)
        down, down_bias = inside.take("down_proj", count, inner, width), inside.take("down_proj_bias", count, width)
        experts = [
            ClampedGated(
                Linear(both[e, :, ::2].T, both_bias[e, ::2]), Linear(both[e, :, 1::2].T, both_bias[e, 1::2]),
                Linear(down[e].T, down_bias[e]), limit, steepness,
            )
            for e in range(count)
        ]  # fmt: skip
        self.config.ignore("experts_per_token")
        return Experts(
            Router(tensors.linear("router", count, width, True), chosen_of(self, count, 4), among_chosen=True), experts
        )
