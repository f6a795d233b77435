"""GPT-J and CodeGen: rotary on neighbouring pairs, one norm, attention and feed-forward side by side, a head with bias."""

from __future__ import annotations

from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Parallel
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.fused import Projections, in_blocks
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.rotary import Fixed, Rotary, geometric
from pimsim.oracle.tensors import Tensors


class GptJ(Family):
    """Separate projections without biases."""

    base_names = ("transformer",)
    table, final_norm, head_bias = "wte", "ln_f", True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-5))

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("h", layer)
        norm = self.norm(tensors, "ln_1")
        return Parallel([(norm, self.attention(tensors.below("attn"))), (norm, self.feed_forward(tensors.below("mlp")))])

    def feed_forward(self, tensors: Tensors) -> Plain:
        """The two matrices of a layer."""
        width = self.sizes.width
        inner = self.config.integer("n_inner", "intermediate_size", default=4 * width)
        act = activation(self.config, "activation_function", default="gelu_new")
        return Plain(tensors.linear("fc_in", inner, width, True), tensors.linear("fc_out", width, inner, True), act)

    def attention(self, tensors: Tensors) -> Attention:
        """Rotates ``rotary_dim`` elements of each head."""
        sizes = self.sizes
        rotated = self.config.integer("rotary_dim", default=64) if self.config.present("rotary_dim") else 64
        if rotated > sizes.head_width:
            raise self.config.error("rotary_dim", f"{rotated} is more than a head's {sizes.head_width} elements")
        rotary = self.shared_rotary(0, lambda: Rotary(Fixed(geometric(10000.0, rotated)), rotated, True))
        output = tensors.linear("out_proj", sizes.width, sizes.width)
        return Attention(*self.projections(tensors), output, sizes.heads, sizes.heads, sizes.head_width**-0.5, rotary)

    def projections(self, tensors: Tensors) -> Projections:
        """Queries, keys, values."""
        width = self.sizes.width
        q, k, v = (tensors.linear(f"{name}_proj", width, width) for name in "qkv")
        return q, k, v


class CodeGen(GptJ):
    """Fused in four blocks, each [q, v, k]."""

    def projections(self, tensors: Tensors) -> Projections:
        width = self.sizes.width
        if self.sizes.heads % 4:
            raise self.config.error("n_head", f"{self.sizes.heads} heads do not divide into 4 blocks")
        return in_blocks(tensors.linear("qkv_proj", 3 * width, width), 4, width)
