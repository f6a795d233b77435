"""Gemma 1, 2 and 3: 1 + weight in every norm, GeGLU, the embedding times the root of the width."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.config import HubConfig
from pimsim.oracle.decoder import Embedding, Head
from pimsim.oracle.families.llama import Llama
from pimsim.oracle.families.windows import SLIDING, every_nth_full, layer_types
from pimsim.oracle.functions import activation, gelu_tanh
from pimsim.oracle.norms import Norm, rms_norm
from pimsim.oracle.rotary import Fixed, Rotary, geometric
from pimsim.oracle.rotary_config import rotary_of, scaling_of
from pimsim.oracle.tensors import Tensors


class Gemma(Llama):
    """``hidden_act: gelu`` is an old mistake in files and means the tanh form."""

    tied = True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return rms_norm(tensors, name, self.sizes.width, self.eps, plus_one=True)

    def embedding(self) -> Embedding:
        return replace(super().embedding(), scale=self.sizes.width**0.5)

    def activation(self) -> Any:
        self.config.ignore("hidden_act")
        if self.config.text("hidden_activation", default=None) is None:
            said = self.config.text("hidden_act", default="gelu")
            return gelu_tanh if said == "gelu" else activation(self.config, "hidden_act")
        return activation(self.config, "hidden_activation")


class Gemma2(Gemma):
    """Norms before and after each branch; soft caps; every other layer sees a window."""

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        def named(name: str) -> Norm:
            return self.norm(tensors, f"{name}_layernorm")

        return Layer(
            [
                Residual(attention, named("input"), named("post_attention")),
                Residual(feed_forward, named("pre_feedforward"), named("post_feedforward")),
            ]
        )

    @property
    def score_scale(self) -> float:
        return self.config.number("query_pre_attn_scalar", default=256.0) ** -0.5  # type: ignore[no-any-return]

    def kinds(self) -> list[str]:
        """Kind of each layer."""
        return layer_types(self.config, self.sizes.layers, lambda layer: layer % 2 == 0)

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=4096)
        return window if self.kinds()[layer] == SLIDING else None  # type: ignore[no-any-return]

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        self.config.only("use_bidirectional_attention", False)
        return super().attention_parts(layer, tensors) | {"cap": self._cap("attn_logit_softcapping", 50.0)}

    def _cap(self, name: str, absent: float) -> float | None:
        return self.config.number(name, default=None if self.config.present(name) else absent)  # type: ignore[no-any-return]

    def head(self) -> Head:
        return replace(super().head(), cap=self._cap("final_logit_softcapping", 30.0))


class Gemma3(Gemma2):
    """q and k norms; a window in five of six layers, whose rotation has a base of its own. Scores are not capped."""

    theta = 1_000_000.0
    local_theta = 10_000.0

    def kinds(self) -> list[str]:
        slides = every_nth_full(self.config, "sliding_window_pattern", "_sliding_window_pattern", default=6)
        return layer_types(self.config, self.sizes.layers, slides)

    def rotary(self, layer: int) -> Rotary:
        kind = self.kinds()[layer]
        return self.shared_rotary(kind, lambda: self._rotary_of(kind))

    def _rotary_of(self, kind: str) -> Rotary:
        width, table = self.sizes.head_width, scaling_of(self.config)
        local = self.config.number("rope_local_base_freq", default=self.local_theta)
        if table is not None and isinstance(table.values.get(kind), dict):
            return rotary_of(self.config, width, kind, theta=local if kind == SLIDING else self.theta)
        if kind == SLIDING:
            return Rotary(Fixed(geometric(local, width)), width)
        return rotary_of(self.config, width, theta=self.theta)

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        norms = {
            f"{kind}_norm": rms_norm(tensors, f"{kind[0]}_norm", self.sizes.head_width, self.eps, plus_one=True)
            for kind in ("query", "key")
        }
        return super().attention_parts(layer, tensors) | norms | {"cap": None}

    def head(self) -> Head:
        return replace(Gemma.head(self), cap=self.config.number("final_logit_softcapping", default=None))


def gemma3_with_vision(config: HubConfig, tensors: Tensors) -> Gemma3:
    """The text part of a Gemma 3 that also sees images."""
    text = config.section("text_config")
    if text is None:
        return Gemma3(config, tensors)
    config.ignore("boi_token_index", "eoi_token_index", "tie_word_embeddings")
    inside = tensors.base("language_model", "model.language_model")
    family = Gemma3(text, inside)
    family.skip = (r".*(vision_tower|multi_modal_projector)\..*",)
    return family
