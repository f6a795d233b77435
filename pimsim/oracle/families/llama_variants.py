"""More decoders that change a few things of Llama: Arcee, Seed-OSS, SmolLM3, GLM, ERNIE 4.5, EXAONE 4, Hunyuan, Helium."""

from __future__ import annotations

from typing import Any

from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.families.llama import Llama, Olmo2, Phi3
from pimsim.oracle.families.windows import SLIDING, every_nth_full, layer_types
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.norms import rms_norm
from pimsim.oracle.rotary import Rotary
from pimsim.oracle.tensors import Tensors


class Arcee(Llama):
    """Two matrices with a squared ReLU."""

    eps_default, default_activation = 1e-5, "relu2"

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        width, inner = self.sizes.width, self.config.integer("intermediate_size")
        bias = self.config.flag("mlp_bias", default=False)
        return Plain(
            tensors.linear("up_proj", inner, width, bias), tensors.linear("down_proj", width, inner, bias), self.activation()
        )


class SeedOss(Llama):
    """Biases on q, k and v by default, one on the output where the file says so."""

    def biases(self) -> tuple[bool, bool]:
        return self.config.flag("attention_bias", default=True), self.config.flag("attention_out_bias", default=False)


class SmolLm3(Llama):
    """Layers whose entry in ``no_rope_layers`` is 0 do not rotate: every fourth by default."""

    tied, theta = True, 2_000_000.0

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=None)
        used = self.config.flag("use_sliding_window", default=False)
        kinds = layer_types(self.config, self.sizes.layers, lambda _: used)
        return window if used and kinds[layer] == SLIDING else None

    def rotary(self, layer: int) -> Rotary | None:
        every = self.config.integer("no_rope_layer_interval", default=4)
        listed = self.config.items("no_rope_layers", default=[int((n + 1) % every != 0) for n in range(self.sizes.layers)])
        return super().rotary(layer) if listed[layer] else None


class Glm(Phi3):
    """Half of each head rotates, neighbouring pairs; gate and up in one matrix."""

    eps_default, partial, interleaved = 1.5625e-07, 0.5, True
    qkv_bias, output_bias = None, False

    def projections(self, tensors: Tensors, bias: bool) -> tuple[Any, Any, Any]:
        return Llama.projections(self, tensors, bias)


class Glm4(Glm):
    """Norms before and after each branch."""

    eps_default = 1e-5

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        first, second = self.norm(tensors, self.first_norm), self.norm(tensors, self.second_norm)
        after = self.norm(tensors, "post_self_attn_layernorm"), self.norm(tensors, "post_mlp_layernorm")
        return Layer([Residual(attention, first, after[0]), Residual(feed_forward, second, after[1])])


class Ernie45(Llama):
    """Neighbouring pairs rotate; one key decides on all biases."""

    tied, interleaved, theta, eps_default = True, True, 500_000.0, 1e-5

    def biases(self) -> tuple[bool, bool]:
        bias = self.config.flag("use_bias", default=False)
        return bias, bias

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        return self.gated(tensors, self.config.integer("intermediate_size"), self.config.flag("use_bias", default=False))


class Exaone4(Olmo2):
    """Norms after the branches, q and k norms on each head; of layers with windows among full ones, only the windows rotate."""

    def kinds(self) -> list[str]:
        """Kind of each layer."""
        pattern = self.config.values.get("sliding_window_pattern")
        self.config.ignore("sliding_window_pattern")
        if isinstance(pattern, str):
            slides = [pattern[n % len(pattern)] == "L" for n in range(self.sizes.layers)]
            return layer_types(self.config, self.sizes.layers, lambda n: slides[n])
        every = every_nth_full(self.config, "sliding_window_pattern", default=4)
        windowed = self.config.integer("sliding_window", default=None) is not None
        return layer_types(self.config, self.sizes.layers, lambda n: windowed and every(n))

    def window(self, layer: int) -> int | None:
        return self.config.integer("sliding_window", default=None) if self.kinds()[layer] == SLIDING else None

    def rotary(self, layer: int) -> Rotary | None:
        mixed = self.config.integer("sliding_window", default=None) is not None
        return super().rotary(layer) if not mixed or self.kinds()[layer] == SLIDING else None

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        norms = {
            f"{kind}_norm": rms_norm(tensors, f"{kind[0]}_norm", self.sizes.head_width, self.eps) for kind in ("query", "key")
        }
        return Llama.attention_parts(self, layer, tensors) | norms


class Hunyuan(Llama):
    """RMS norms on each head of q and k, after the rotation."""

    eps_default = 1e-5

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        norms = {
            f"{kind}_norm": rms_norm(tensors, f"{kind}_layernorm", self.sizes.head_width, self.eps) for kind in ("query", "key")
        }
        return super().attention_parts(layer, tensors) | norms | {"norm_after_rotary": True}


class Helium(Llama):
    """Neighbouring pairs rotate."""

    interleaved, eps_default, theta = True, 1e-8, 100_000.0
