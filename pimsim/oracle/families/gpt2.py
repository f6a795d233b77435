"""GPT-2, GPT-BigCode (StarCoder, SantaCoder) and GPT-Neo: learned positions, sequential, LayerNorm."""

from __future__ import annotations

from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.config import HubConfig
from pimsim.oracle.decoder import Embedding
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.fused import by_group, in_thirds
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.tensors import Tensors


class Gpt2(Family):
    """Conv1D matrices, stored (inputs, outputs); fused [all q, all k, all v]."""

    base_names = ("transformer",)
    table, final_norm, tied = "wte", "ln_f", True
    transposed = True
    inner_names: tuple[str, ...] = ("n_inner", "intermediate_size")

    def longest(self) -> int:
        return self.config.integer("n_positions", "max_position_embeddings", "n_ctx", default=1024)  # type: ignore[no-any-return]

    def embedding(self) -> Embedding:
        table = self.base.take("wpe.weight", self.longest(), self.sizes.width)
        return Embedding(self.token_table, positions=lambda at: table[at])

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-5))

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("h", layer)
        return Layer(
            [
                Residual(self.attention(layer, tensors.below("attn")), self.norm(tensors, "ln_1")),
                Residual(self.feed_forward(tensors.below("mlp")), self.norm(tensors, "ln_2")),
            ]
        )

    def feed_forward(self, tensors: Tensors) -> Plain:
        """The two matrices of a layer."""
        width = self.sizes.width
        inner = self.config.integer(*self.inner_names, default=4 * width)
        up = tensors.linear("c_fc", inner, width, True, self.transposed)
        down = tensors.linear("c_proj", width, inner, True, self.transposed)
        return Plain(up, down, activation(self.config, "activation_function", default="gelu_new"))

    def attention(self, layer: int, tensors: Tensors) -> Attention:
        """Scores unscaled or divided by the layer's number where the file says so."""
        sizes = self.sizes
        fused = tensors.linear("c_attn", 3 * sizes.width, sizes.width, True, self.transposed)
        output = tensors.linear("c_proj", sizes.width, sizes.width, True, self.transposed)
        scale = sizes.head_width**-0.5 if self.config.flag("scale_attn_weights", default=True) else 1.0
        if self.config.flag("scale_attn_by_inverse_layer_idx", default=False):
            scale /= layer + 1
        self.config.only("add_cross_attention", False)
        return Attention(*in_thirds(fused, sizes.width, sizes.width), output, sizes.heads, sizes.heads, scale)


class GptBigCode(Gpt2):
    """Linear matrices; one head of keys and values, or as many as of queries, then fused by head."""

    transposed = False

    def attention(self, layer: int, tensors: Tensors) -> Attention:
        sizes = self.sizes
        kv_heads = 1 if self.config.flag("multi_query", default=True) else sizes.heads
        self.config.ignore("num_key_value_heads")
        fused = tensors.linear("c_attn", (sizes.heads + 2 * kv_heads) * sizes.head_width, sizes.width, True)
        output = tensors.linear("c_proj", sizes.width, sizes.width, True)
        scale = sizes.head_width**-0.5 if self.config.flag("scale_attn_weights", default=True) else 1.0
        projections = by_group(fused, sizes.heads, kv_heads, sizes.head_width)
        return Attention(*projections, output, sizes.heads, kv_heads, scale)


class GptNeo(Gpt2):
    """Global and local layers in turn, scores never scaled, no biases on q, k and v."""

    transposed = False
    inner_names = ("intermediate_size",)

    def longest(self) -> int:
        return self.config.integer("max_position_embeddings", default=2048)  # type: ignore[no-any-return]

    def attention(self, layer: int, tensors: Tensors) -> Attention:
        inside, sizes = tensors.below("attention"), self.sizes
        width = sizes.width
        q, k, v = (inside.linear(f"{name}_proj", width, width) for name in "qkv")
        window = (
            self.config.integer("window_size", default=256) if _pattern(self.config, sizes.layers)[layer] == "local" else None
        )
        return Attention(q, k, v, inside.linear("out_proj", width, width, True), sizes.heads, sizes.heads, 1.0, window=window)


def _pattern(config: HubConfig, layers: int) -> list[str]:
    listed = config.items("attention_layers", default=None)
    types = config.items("attention_types", default=[[["global", "local"], (layers + 1) // 2]])
    if listed is None:
        try:
            listed = [kind for kinds, times in types for _ in range(times) for kind in kinds]
        except (TypeError, ValueError):
            raise config.error("attention_types", f"{types!r} must be a list of [kinds, times]") from None
    if len(listed) < layers or any(kind not in ("global", "local") for kind in listed):
        raise config.error("attention_types", f"{listed!r} must name 'global' or 'local' for each of {layers} layers")
    return list(listed)
