"""BLOOM and MPT: positions by ALiBi."""

from __future__ import annotations

from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.config import HubConfig
from pimsim.oracle.decoder import Embedding
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.fused import by_group, in_thirds
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import gelu, gelu_tanh
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.position_bias import Alibi, slopes_from_above, slopes_from_below
from pimsim.oracle.tensors import Tensors


class Bloom(Family):
    """A norm after the embedding; GELU by tanh; fused by head."""

    base_names = ("transformer",)
    table, final_norm, tied = "word_embeddings", "ln_f", True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-5))

    def embedding(self) -> Embedding:
        return Embedding(self.token_table, norm=self.norm(self.base, "word_embeddings_layernorm"))

    def layer(self, layer: int) -> Branch:
        tensors, sizes, width = self.base.below("h", layer), self.sizes, self.sizes.width
        inside = tensors.below("self_attention")
        projections = by_group(
            inside.linear("query_key_value", 3 * width, width, True), sizes.heads, sizes.heads, sizes.head_width
        )
        bias = Alibi(slopes_from_below(sizes.heads))
        output = inside.linear("dense", width, width, True)
        attention = Attention(*projections, output, sizes.heads, sizes.heads, sizes.head_width**-0.5, bias=bias)
        up = tensors.linear("mlp.dense_h_to_4h", 4 * width, width, True)
        feed_forward = Plain(up, tensors.linear("mlp.dense_4h_to_h", width, 4 * width, True), gelu_tanh)
        from_norm = self.config.flag("apply_residual_connection_post_layernorm", default=False)
        return Layer(
            [
                Residual(attention, self.norm(tensors, "input_layernorm"), from_norm=from_norm),
                Residual(feed_forward, self.norm(tensors, "post_attention_layernorm"), from_norm=from_norm),
            ]
        )


class Mpt(Family):
    """No biases anywhere; exact GELU; fused in thirds; own score scale and clipping.

    Files of this layout are for a library that knows one kind of MPT: it ignores ``expansion_ratio`` (always 4), ``alibi_bias_max``
    (always 8), and ``alibi: false``; learned positions are taken only from a file that has them.
    """

    base_names = ("transformer",)
    table, final_norm, tied = "wte", "norm_f", True

    def norm(self, tensors: Tensors, name: str) -> Norm:
        self.config.only("norm_type", ("low_precision_layernorm", "layernorm"))
        return layer_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-5), bias=False)

    def longest(self) -> int | None:
        return self.config.integer("max_seq_len") if self._learned else None  # type: ignore[no-any-return]

    def embedding(self) -> Embedding:
        self.config.only("no_bias", True)
        self.config.only("logit_scale", None)
        self.config.ignore("expansion_ratio", "embedding_fraction", "emb_pdrop", "use_cache")
        if not self._learned:
            return Embedding(self.token_table)
        table = self.base.take("wpe.weight", self.config.integer("max_seq_len"), self.sizes.width)
        return Embedding(self.token_table, positions=lambda at: table[at])

    @property
    def _inside(self) -> HubConfig:
        return self.config.section("attn_config") or HubConfig(self.config.where, {})

    @property
    def _learned(self) -> bool:
        wanted = self.config.flag("learned_pos_emb", default=True) and not self._inside.flag("alibi", default=True)
        return wanted and self.base.has("wpe.weight")

    def layer(self, layer: int) -> Branch:
        tensors, width = self.base.below("blocks", layer), self.sizes.width
        up, down = tensors.linear("ffn.up_proj", 4 * width, width), tensors.linear("ffn.down_proj", width, 4 * width)
        return Layer(
            [
                Residual(self.attention(tensors.below("attn")), self.norm(tensors, "norm_1")),
                Residual(Plain(up, down, gelu), self.norm(tensors, "norm_2")),
            ]
        )

    def attention(self, tensors: Tensors) -> Attention:
        """Scores times ``softmax_scale`` where it is given."""
        inside, sizes, width = self._inside, self.sizes, self.sizes.width
        inside.only("attn_type", "multihead_attention")
        inside.only("qk_ln", False)
        inside.only("prefix_lm", False)
        scale = inside.number("softmax_scale", default=sizes.head_width**-0.5)
        inside.ignore("alibi_bias_max")
        bias = Alibi(slopes_from_above(sizes.heads)) if not self._learned else None
        projections = in_thirds(tensors.linear("Wqkv", 3 * width, width), width, width)
        output = tensors.linear("out_proj", width, width)
        clip = inside.number("clip_qkv", default=None)
        return Attention(*projections, output, sizes.heads, sizes.heads, scale, clip=clip, bias=bias)
