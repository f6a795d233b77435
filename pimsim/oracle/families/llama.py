"""Llama and the many decoders that change a few things of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.decoder import Embedding, Head
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.fused import in_thirds
from pimsim.oracle.families.windows import SLIDING, layer_types
from pimsim.oracle.feed_forward import Gated, Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.norms import Norm, layer_norm, rms_norm
from pimsim.oracle.rotary import Rotary
from pimsim.oracle.rotary_config import rotary_of
from pimsim.oracle.tensors import Tensors


class Llama(Family):
    """Sequential with RMS norms before the branches, rotary halves, SwiGLU. Its hooks are what the others override."""

    eps_name, eps_default = "rms_norm_eps", 1e-6
    theta = 10000.0
    partial = 1.0
    interleaved = False
    qkv_bias: bool | None = None  # None: attention_bias decides
    output_bias: bool | None = None
    default_activation = "silu"
    mlp_name, attention_name, output_name = "mlp", "self_attn", "o_proj"
    first_norm, second_norm = "input_layernorm", "post_attention_layernorm"

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return rms_norm(tensors, name, self.sizes.width, self.eps)

    @property
    def eps(self) -> float:
        """What norms add to the variance."""
        return self.config.number(self.eps_name, default=self.eps_default)  # type: ignore[no-any-return]

    @property
    def residual_multiplier(self) -> float:
        """Factor on each branch."""
        return 1.0

    @property
    def score_scale(self) -> float:
        """Factor on the scores."""
        return self.sizes.head_width**-0.5

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        attention = self.attention(layer, tensors.below(self.attention_name))
        feed_forward = self.feed_forward(layer, tensors.below(self.mlp_name))
        return self.wired(layer, tensors, attention, feed_forward)

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        """The branches with their norms."""
        first, second = self.norm(tensors, self.first_norm), self.norm(tensors, self.second_norm)
        multiplier = self.residual_multiplier
        return Layer([Residual(attention, first, multiplier=multiplier), Residual(feed_forward, second, multiplier=multiplier)])

    def window(self, layer: int) -> int | None:
        """Tokens that a layer sees; None for all."""
        return None

    def rotary(self, layer: int) -> Rotary | None:
        """The rotation of a layer; None for none."""
        make = lambda: rotary_of(  # noqa: E731
            self.config, self.sizes.head_width, interleaved=self.interleaved, theta=self.theta, partial=self.partial
        )
        return self.shared_rotary(0, make)

    def biases(self) -> tuple[bool, bool]:
        """Whether q, k and v, and the output, have biases."""
        said = self.config.flag("attention_bias", default=False)
        return said if self.qkv_bias is None else self.qkv_bias, said if self.output_bias is None else self.output_bias

    def attention(self, layer: int, tensors: Tensors) -> Branch:
        """Attention of a layer."""
        return Attention(**self.attention_parts(layer, tensors))

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        """Arguments of ``Attention``."""
        sizes = self.sizes
        (bias, output_bias), queries = self.biases(), sizes.heads * sizes.head_width
        q, k, v = self.projections(tensors, bias)
        return {
            "query": q, "key": k, "value": v, "output": tensors.linear(self.output_name, sizes.width, queries, output_bias),
            "heads": sizes.heads, "kv_heads": sizes.kv_heads, "scale": self.score_scale, "rotary": self.rotary(layer),
            "window": self.window(layer),
        }  # fmt: skip

    def projections(self, tensors: Tensors, bias: bool) -> tuple[Any, Any, Any]:
        """Queries, keys, values."""
        sizes = self.sizes
        kv = sizes.kv_heads * sizes.head_width
        return (
            tensors.linear("q_proj", sizes.heads * sizes.head_width, sizes.width, bias),
            tensors.linear("k_proj", kv, sizes.width, bias),
            tensors.linear("v_proj", kv, sizes.width, bias),
        )

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        """Feed-forward of a layer."""
        return self.gated(tensors, self.config.integer("intermediate_size"))

    def gated(self, tensors: Tensors, inner: int, bias: bool | None = None) -> Gated:
        """Gate, up and down projections of ``inner`` width."""
        width = self.sizes.width
        bias = self.config.flag("mlp_bias", default=False) if bias is None else bias
        gate, up = tensors.linear("gate_proj", inner, width, bias), tensors.linear("up_proj", inner, width, bias)
        return Gated(gate, up, tensors.linear("down_proj", width, inner, bias), self.activation())

    def activation(self) -> Any:
        """The activation."""
        return activation(self.config, "hidden_act", default=self.default_activation)


class Mistral(Llama):
    """A window over all layers where the file gives one."""

    qkv_bias: bool | None = False
    output_bias: bool | None = False

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=None)
        kinds = layer_types(self.config, self.sizes.layers, lambda _: True)
        return window if kinds[layer] == SLIDING else None


class Qwen2(Llama):
    """Biases on q, k and v; a window only with ``use_sliding_window``, from layer ``max_window_layers`` on."""

    qkv_bias: bool | None = True
    output_bias: bool | None = False

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=None, least=0)
        first = self.config.integer("max_window_layers", default=28, least=0)
        used = self.config.flag("use_sliding_window", default=False)
        kinds = layer_types(self.config, self.sizes.layers, lambda layer: used and bool(window) and layer >= first)
        return window if used and kinds[layer] == SLIDING else None


class Qwen3(Qwen2):
    """RMS norms on each head of q and k."""

    qkv_bias, output_bias = None, None

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        width = self.sizes.head_width
        norms = {f"{kind}_norm": rms_norm(tensors, f"{kind[0]}_norm", width, self.eps) for kind in ("query", "key")}
        return super().attention_parts(layer, tensors) | norms


class Phi3(Mistral):
    """q, k and v in one matrix, gate and up in another."""

    eps_default = 1e-5

    def projections(self, tensors: Tensors, bias: bool) -> tuple[Any, Any, Any]:
        sizes = self.sizes
        queries, kv = sizes.heads * sizes.head_width, sizes.kv_heads * sizes.head_width
        return in_thirds(tensors.linear("qkv_proj", queries + 2 * kv, sizes.width), queries, kv)

    def gated(self, tensors: Tensors, inner: int, bias: bool | None = None) -> Gated:
        both = tensors.linear("gate_up_proj", 2 * inner, self.sizes.width)
        down = tensors.linear("down_proj", self.sizes.width, inner)
        return Gated(both.part(0, inner), both.part(inner, 2 * inner), down, self.activation())


class Olmo(Llama):
    """LayerNorm without parameters; clipped q, k and v."""

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return Norm(1e-5, True)

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        return super().attention_parts(layer, tensors) | {"clip": self.config.number("clip_qkv", default=None)}


class Olmo2(Llama):
    """Norms after the branches only; q and k are normed over their whole width."""

    eps_default = 1e-5

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        after = (self.norm(tensors, f"post_{name}_layernorm") for name in ("attention", "feedforward"))
        return Layer([Residual(branch, after=norm) for branch, norm in zip((attention, feed_forward), after, strict=True)])

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        parts = super().attention_parts(layer, tensors)
        widths = {"query": len(parts["query"].weight), "key": len(parts["key"].weight)}
        norms = {f"{kind}_norm": rms_norm(tensors, f"{kind[0]}_norm", width, self.eps) for kind, width in widths.items()}
        return parts | norms | {"norm_whole": True}


class Olmo3(Olmo2):
    """Three layers of four see a window; a rotation for each kind of layer where the file has two."""

    def kinds(self) -> list[str]:
        """Kind of each layer."""
        return layer_types(self.config, self.sizes.layers, lambda layer: (layer + 1) % 4 != 0)

    def window(self, layer: int) -> int | None:
        window = self.config.integer("sliding_window", default=4096)
        return window if self.kinds()[layer] == SLIDING else None  # type: ignore[no-any-return]

    def rotary(self, layer: int) -> Rotary:
        kind = self.kinds()[layer]
        return self.shared_rotary(kind, lambda: rotary_of(self.config, self.sizes.head_width, kind))


class Granite(Llama):
    """Multipliers on the embedding, the scores, the branches and the logits."""

    @property
    def residual_multiplier(self) -> float:
        return self.config.number("residual_multiplier", default=1.0)  # type: ignore[no-any-return]

    @property
    def score_scale(self) -> float:
        return self.config.number("attention_multiplier", default=1.0)  # type: ignore[no-any-return]

    def embedding(self) -> Embedding:
        return replace(super().embedding(), scale=self.config.number("embedding_multiplier", default=1.0))

    def head(self) -> Head:
        return replace(super().head(), scale=1 / self.config.number("logits_scaling", default=1.0))


class Starcoder2(Mistral):
    """LayerNorm, two matrices with biases, GELU by tanh."""

    tied = True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.config.number("norm_epsilon", default=1e-5))

    def biases(self) -> tuple[bool, bool]:
        bias = self.config.flag("use_bias", default=True)
        return bias, bias

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        width, inner, bias = (
            self.sizes.width,
            self.config.integer("intermediate_size"),
            self.config.flag("use_bias", default=True),
        )
        up, down = tensors.linear("c_fc", inner, width, bias), tensors.linear("c_proj", width, inner, bias)
        return Plain(up, down, activation(self.config, "hidden_act", default="gelu_pytorch_tanh"))
