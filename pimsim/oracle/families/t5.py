"""T5, T5 1.1, CodeT5, CodeT5+, mT5 (and UMT5): relative buckets, unscaled scores, RMS norms, cross-attention."""

from __future__ import annotations

from pimsim.oracle.attention import Attention, CrossAttention
from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.decoder import Decoder, Embedding, Encoder, Head
from pimsim.oracle.families.family import Family, Sizes
from pimsim.oracle.feed_forward import Gated, Plain
from pimsim.oracle.functions import ACTIVATIONS, activation
from pimsim.oracle.linear import Linear
from pimsim.oracle.norms import Norm, rms_norm
from pimsim.oracle.position_bias import RelativeBuckets
from pimsim.oracle.tensors import Tensors


class T5(Family):
    """The first layer's table of relative positions serves all layers of its stack."""

    base_names = ()
    table, final_norm, tied = "shared", "final_layer_norm", True
    own_buckets = False

    def read_sizes(self) -> Sizes:
        config = self.config
        heads, layers = config.integer("num_heads"), config.integer("num_layers")
        decoder = config.integer("num_decoder_layers", default=layers)
        return Sizes(config.integer("d_model"), decoder, heads, heads, config.integer("d_kv"), config.integer("vocab_size"))

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return rms_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-6))

    def build(self) -> Decoder:
        for stack in ("encoder", "decoder"):
            self.base.use(f"{stack}.embed_tokens.weight")
        embedding = Embedding(self.token_table)
        layers = self.config.integer("num_layers")
        encoder = Encoder(embedding, self.stack("encoder", layers), self.norm(self.base.below("encoder"), self.final_norm))
        decoder = self.stack("decoder", self.sizes.layers)
        return Decoder(embedding, decoder, self.head(), self.sizes.vocabulary, encoder)

    def head(self) -> Head:
        """The file's own matrix where it has one, whatever it says about tying; else the embedding."""
        name, norm = "lm_head.weight", self.norm(self.base.below("decoder"), self.final_norm)
        own = self.base.has(name)
        matrix = Linear(self.base.take(name, self.sizes.vocabulary, self.sizes.width) if own else self.token_table)
        return Head(matrix, norm, scale=self.sizes.width**-0.5 if self.scaled() else 1.0)

    def scaled(self) -> bool:
        """Whether logits are scaled: in the old T5, whose files do not say ``tie_word_embeddings: false``."""
        old = self.config.flag("tie_word_embeddings", default=True)
        return self.config.flag("scale_decoder_outputs", default=old)  # type: ignore[no-any-return]

    def stack(self, stack: str, layers: int) -> list[Branch]:
        """The layers of encoder or decoder."""
        blocks = self.base.below(stack, "block")
        shared = self._buckets(blocks.below(0), stack)
        found: list[Branch] = []
        for layer in range(layers):
            tensors = blocks.below(layer)
            bias = self._buckets(tensors, stack) if self.own_buckets and layer else shared
            parts: list[Branch] = [self._residual(tensors.below("layer", 0), self._attention(tensors.below("layer", 0), bias))]
            if stack == "decoder":
                parts.append(self._residual(tensors.below("layer", 1), self._cross(tensors.below("layer", 1))))
            last = tensors.below("layer", len(parts))
            parts.append(self._residual(last, self._feed_forward(last.below("DenseReluDense"))))
            found.append(Layer(parts))
        return found

    def _residual(self, tensors: Tensors, branch: Branch) -> Residual:
        return Residual(branch, self.norm(tensors, "layer_norm"))

    def _buckets(self, tensors: Tensors, stack: str) -> RelativeBuckets:
        count = self.config.integer("relative_attention_num_buckets", default=32)
        longest = self.config.integer("relative_attention_max_distance", default=128)
        table = tensors.take("layer.0.SelfAttention.relative_attention_bias.weight", count, self.sizes.heads)
        return RelativeBuckets(table, longest, stack == "encoder")

    def _projections(self, tensors: Tensors) -> tuple[Linear, Linear, Linear, Linear]:
        inner, width = self.sizes.heads * self.sizes.head_width, self.sizes.width
        q, k, v = (tensors.linear(name, inner, width) for name in "qkv")
        return q, k, v, tensors.linear("o", width, inner)

    def _attention(self, tensors: Tensors, bias: RelativeBuckets) -> Attention:
        heads = self.sizes.heads
        return Attention(*self._projections(tensors.below("SelfAttention")), heads, heads, 1.0, bias=bias)

    def _cross(self, tensors: Tensors) -> CrossAttention:
        return CrossAttention(*self._projections(tensors.below("EncDecAttention")), self.sizes.heads, 1.0)

    def _feed_forward(self, tensors: Tensors) -> Branch:
        said = self.config.text("feed_forward_proj", default="relu")
        gated, name = said.startswith("gated-"), said.removeprefix("gated-")
        if said == "gated-gelu":
            name = "gelu_new"
        if name not in ACTIVATIONS:
            raise self.config.error("feed_forward_proj", f"'{said}' is not understood; allowed: relu, gated-gelu, gated-silu ...")
        act, width, inner = ACTIVATIONS[name], self.sizes.width, self.config.integer("d_ff")
        self.config.ignore("dense_act_fn", "is_gated_act")
        if self.config.text("dense_act_fn", default=None) is not None:
            act = activation(self.config, "dense_act_fn")
        down = tensors.linear("wo", width, inner)
        if not gated:
            return Plain(tensors.linear("wi", inner, width), down, act)
        return Gated(tensors.linear("wi_0", inner, width), tensors.linear("wi_1", inner, width), down, act)


class Mt5(T5):
    """Logits are never scaled."""

    def scaled(self) -> bool:
        self.config.ignore("tie_word_embeddings", "scale_decoder_outputs")
        return False


class Umt5(T5):
    """Every layer has its own table of relative positions; the head is a matrix of its own unless tied."""

    own_buckets = True
