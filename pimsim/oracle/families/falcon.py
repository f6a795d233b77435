"""Falcon in its three shapes: 7B (one head of keys and values), 40B and later (groups), and the RW models (ALiBi, sequential)."""

from __future__ import annotations

from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Parallel, Residual
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.fused import by_group
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.position_bias import RoundedAlibi, slopes_from_below
from pimsim.oracle.rotary_config import rotary_of
from pimsim.oracle.tensors import Tensors


class Falcon(Family):
    """``multi_query`` decides on one head of keys and values unless ``new_decoder_architecture`` has groups."""

    base_names = ("transformer",)
    table, final_norm, tied = "word_embeddings", "ln_f", True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-5))

    def layer(self, layer: int) -> Branch:
        tensors, config = self.base.below("h", layer), self.config
        attention, feed_forward = self.attention(tensors.below("self_attention")), self.feed_forward(tensors.below("mlp"))
        grouped, parallel = config.flag("new_decoder_architecture", default=False), config.flag("parallel_attn", default=True)
        config.ignore("apply_residual_connection_post_layernorm", "num_ln_in_parallel_attn")
        if grouped and config.integer("num_ln_in_parallel_attn", default=2) == 2:
            return Parallel([(self.norm(tensors, "ln_attn"), attention), (self.norm(tensors, "ln_mlp"), feed_forward)])
        first = self.norm(tensors, "input_layernorm")
        if grouped or parallel:
            return Parallel([(first, attention), (first, feed_forward)])
        return Layer([Residual(attention, first), Residual(feed_forward, self.norm(tensors, "post_attention_layernorm"))])

    def feed_forward(self, tensors: Tensors) -> Plain:
        """The two matrices of a layer."""
        width, bias = self.sizes.width, self.config.flag("bias", default=False)
        inner = self.config.integer("ffn_hidden_size", default=4 * width)
        up, down = tensors.linear("dense_h_to_4h", inner, width, bias), tensors.linear("dense_4h_to_h", width, inner, bias)
        return Plain(up, down, activation(self.config, "activation", default="gelu"))

    def attention(self, tensors: Tensors) -> Attention:
        """ALiBi takes the place of the rotation where the file asks for it."""
        sizes, width, config = self.sizes, self.sizes.width, self.config
        kv_heads = 1 if config.flag("multi_query", default=True) else sizes.heads
        config.ignore("num_kv_heads", "n_head_kv", "rope_theta", "rope_parameters", "rope_scaling")
        if config.flag("new_decoder_architecture", default=False):
            kv_heads = config.integer("num_kv_heads", "n_head_kv", default=sizes.heads)
        if sizes.heads % kv_heads:
            raise config.error("num_kv_heads", f"{kv_heads} do not divide {sizes.heads} query heads")
        bias = config.flag("bias", default=False)
        fused = tensors.linear("query_key_value", (sizes.heads + 2 * kv_heads) * sizes.head_width, width, bias)
        projections = by_group(fused, sizes.heads, kv_heads, sizes.head_width)
        output, scale = tensors.linear("dense", width, sizes.heads * sizes.head_width, bias), sizes.head_width**-0.5
        if config.flag("alibi", default=False):
            slopes = RoundedAlibi(slopes_from_below(sizes.heads), scale)
            return Attention(*projections, output, sizes.heads, kv_heads, scale, bias=slopes)
        rotary = self.shared_rotary(0, lambda: rotary_of(config, sizes.head_width))
        return Attention(*projections, output, sizes.heads, kv_heads, scale, rotary)
