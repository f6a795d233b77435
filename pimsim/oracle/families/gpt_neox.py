"""GPT-NeoX, Pythia, RedPajama-INCITE: partial rotary, fused by head, parallel or sequential."""

from __future__ import annotations

from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Parallel, Residual
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.fused import by_group
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.rotary_config import rotary_of
from pimsim.oracle.tensors import Tensors


class GptNeoX(Family):
    """Two norms of the same input where attention and feed-forward are parallel."""

    base_names = ("gpt_neox",)
    table, final_norm, head_name = "embed_in", "final_layer_norm", "embed_out"

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_eps", default=1e-5))

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        attention, feed_forward = self.attention(tensors.below("attention")), self.feed_forward(tensors.below("mlp"))
        first, second = self.norm(tensors, "input_layernorm"), self.norm(tensors, "post_attention_layernorm")
        if self.config.flag("use_parallel_residual", default=True):
            return Parallel([(first, attention), (second, feed_forward)])
        return Layer([Residual(attention, first), Residual(feed_forward, second)])

    def feed_forward(self, tensors: Tensors) -> Plain:
        """The two matrices of a layer."""
        width, inner = self.sizes.width, self.config.integer("intermediate_size")
        up, down = tensors.linear("dense_h_to_4h", inner, width, True), tensors.linear("dense_4h_to_h", width, inner, True)
        return Plain(up, down, activation(self.config, "hidden_act", default="gelu"))

    def attention(self, tensors: Tensors) -> Attention:
        """For each head [q, k, v]."""
        sizes, bias = self.sizes, self.config.flag("attention_bias", default=True)
        fused = tensors.linear("query_key_value", 3 * sizes.width, sizes.width, bias)
        rotary = self.shared_rotary(0, lambda: rotary_of(self.config, sizes.head_width, partial=0.25))
        projections = by_group(fused, sizes.heads, sizes.heads, sizes.head_width)
        output = tensors.linear("dense", sizes.width, sizes.width, bias)
        return Attention(*projections, output, sizes.heads, sizes.heads, sizes.head_width**-0.5, rotary)
