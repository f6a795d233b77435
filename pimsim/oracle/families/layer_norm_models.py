"""Phi, StableLM and Cohere: attention and feed-forward side by side after LayerNorm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pimsim.oracle.blocks import Branch, Parallel
from pimsim.oracle.decoder import Head
from pimsim.oracle.families.llama import Llama
from pimsim.oracle.families.windows import SLIDING, every_nth_full, layer_types
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.rotary import Rotary
from pimsim.oracle.tensors import Tensors


class Phi(Llama):
    """Parallel after one norm, half of each head rotates, biases everywhere."""

    eps_name, eps_default, partial, head_bias = "layer_norm_eps", 1e-5, 0.5, True
    default_activation, final_norm, output_name = "gelu_new", "final_layernorm", "dense"
    qkv_bias = output_bias = True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.eps)

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        norm = self.norm(tensors, self.first_norm)
        return Parallel([(norm, attention), (norm, feed_forward)])

    def feed_forward(self, layer: int, tensors: Tensors) -> Plain:
        width, inner = self.sizes.width, self.config.integer("intermediate_size")
        return Plain(tensors.linear("fc1", inner, width, True), tensors.linear("fc2", width, inner, True), self.activation())

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        parts = super().attention_parts(layer, tensors)
        if self.config.flag("qk_layernorm", default=False):
            for kind in ("query", "key"):
                parts[f"{kind}_norm"] = layer_norm(tensors, f"{kind[0]}_layernorm", self.sizes.head_width, self.eps)
        return parts


class StableLm(Llama):
    """A quarter of each head rotates; norms on q and k have a tensor for each head."""

    eps_name, eps_default, partial = "layer_norm_eps", 1e-5, 0.25
    output_bias = False

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.eps)

    def biases(self) -> tuple[bool, bool]:
        return self.config.flag("use_qkv_bias", default=False), False

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        if not self.config.flag("use_parallel_residual", default=False):
            return super().wired(layer, tensors, attention, feed_forward)
        norm = self.norm(tensors, self.first_norm)
        return Parallel([(norm, attention), (norm, feed_forward)])

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        parts, sizes = super().attention_parts(layer, tensors), self.sizes
        if self.config.flag("qk_layernorm", default=False):
            for kind, heads in (("query", sizes.heads), ("key", sizes.kv_heads)):
                names = [f"{kind[0]}_layernorm.norms.{head}.weight" for head in range(heads)]
                parts[f"{kind}_norm"] = Norm(self.eps, True, np.stack([tensors.take(name, sizes.head_width) for name in names]))
        return parts


class Cohere(Llama):
    """Parallel after one norm without bias, neighbouring pairs rotate, logits are scaled."""

    eps_name, eps_default, theta, interleaved, tied = "layer_norm_eps", 1e-5, 10000.0, True, True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.eps, bias=False)

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        norm = self.norm(tensors, self.first_norm)
        return Parallel([(norm, attention), (norm, feed_forward)])

    def head(self) -> Head:
        return replace(super().head(), scale=self.config.number("logit_scale", default=0.0625))

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        parts, sizes = super().attention_parts(layer, tensors), self.sizes
        if self.config.flag("use_qk_norm", default=False):
            for kind, heads in (("query", sizes.heads), ("key", sizes.kv_heads)):
                weight = tensors.take(f"{kind[0]}_norm.weight", heads, sizes.head_width)
                parts[f"{kind}_norm"] = Norm(self.eps, True, weight)
        return parts


class Cohere2(Cohere):
    """Windows in three of four layers; only those rotate."""

    def kinds(self) -> list[str]:
        """Kind of each layer."""
        slides = every_nth_full(self.config, "sliding_window_pattern", "_sliding_window_pattern", default=4)
        return layer_types(self.config, self.sizes.layers, slides)

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=4096)
        return window if self.kinds()[layer] == SLIDING else None  # type: ignore[no-any-return]

    def rotary(self, layer: int) -> Rotary | None:
        return super().rotary(layer) if self.kinds()[layer] == SLIDING else None


class Nemotron(Llama):
    """LayerNorm with 1 + weight, squared ReLU, half of each head rotates."""

    eps_name, eps_default, partial, default_activation = "norm_eps", 1e-5, 0.5, "relu2"

    def norm(self, tensors: Tensors, name: str) -> Norm:
        weight, bias = (tensors.take(f"{name}.{part}", self.sizes.width) for part in ("weight", "bias"))
        return Norm(self.eps, True, weight + 1.0, bias)

    def feed_forward(self, layer: int, tensors: Tensors) -> Plain:
        width, inner = self.sizes.width, self.config.integer("intermediate_size")
        bias = self.config.flag("mlp_bias", default=False)
        return Plain(
            tensors.linear("up_proj", inner, width, bias), tensors.linear("down_proj", width, inner, bias), self.activation()
        )
