"""BART and mBART: learned positions from the third row on, cross-attention, norms after or before."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.oracle.arrays import Floats
from pimsim.oracle.attention import Attention, CrossAttention
from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.decoder import Decoder, Embedding, Encoder, Head
from pimsim.oracle.families.family import Family, Sizes
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.linear import Linear
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.tensors import Tensors

OFFSET = 2


@dataclass(frozen=True)
class Stack:
    """Encoder or decoder: its name, layers, heads, feed-forward width."""

    name: str
    layers: int
    heads: int
    inner: int


class Bart(Family):
    """Norms after the branches, one after the embedding, none at the end."""

    base_names = ("model",)
    table, tied = "shared", True
    norms_first = False
    scaled = False

    def read_sizes(self) -> Sizes:
        config = self.config
        width, heads = config.integer("d_model", "hidden_size"), config.integer("decoder_attention_heads", "num_attention_heads")
        return Sizes(width, config.integer("decoder_layers"), heads, heads, width // heads, config.integer("vocab_size"))

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return layer_norm(tensors, name, self.sizes.width, 1e-5)

    def longest(self) -> int:
        return self.config.integer("max_position_embeddings", default=1024)  # type: ignore[no-any-return]

    def _stack(self, name: str) -> Stack:
        config = self.config
        heads = config.integer(f"{name}_attention_heads")
        if self.sizes.width % heads:
            raise config.error(f"{name}_attention_heads", f"{heads} heads do not divide the width of {self.sizes.width}")
        return Stack(name, config.integer(f"{name}_layers"), heads, config.integer(f"{name}_ffn_dim"))

    def build(self) -> Decoder:
        self.config.ignore("num_hidden_layers")
        encoder, decoder = self._stack("encoder"), self._stack("decoder")
        inside = Encoder(self.embed(encoder), self.layers(encoder), self.last_norm(encoder))
        matrix = Linear(self.head_matrix().weight, self._logits_bias())
        return Decoder(
            self.embed(decoder), self.layers(decoder), Head(matrix, self.last_norm(decoder)), self.sizes.vocabulary, inside,
            longest=self.longest(),
        )  # fmt: skip

    def _logits_bias(self) -> Floats | None:
        name = "final_logits_bias"
        return self.root.take(name, 1, self.sizes.vocabulary)[0] if self.root.has(name) else None

    def embed(self, stack: Stack) -> Embedding:
        """Tokens, scaled where the file says so, plus positions, normed."""
        tensors = self.base.below(stack.name)
        tensors.use("embed_tokens.weight")
        table = tensors.take("embed_positions.weight", self.longest() + OFFSET, self.sizes.width)
        scale = self.sizes.width**0.5 if self.config.flag("scale_embedding", default=self.scaled) else 1.0
        norm = self.norm(tensors, "layernorm_embedding")
        return Embedding(self.token_table, scale, positions=lambda at: table[at + OFFSET], norm=norm)

    def last_norm(self, stack: Stack) -> Norm | None:
        """The norm after all layers."""
        return self.norm(self.base.below(stack.name), "layer_norm") if self.norms_first else None

    def layers(self, stack: Stack) -> list[Branch]:
        """The layers of a stack."""
        width, act = self.sizes.width, activation(self.config, "activation_function", default="gelu")
        found: list[Branch] = []
        for layer in range(stack.layers):
            tensors = self.base.below(stack.name, "layers", layer)
            parts: list[Branch] = [self._residual(tensors, "self_attn", self._attention(tensors.below("self_attn"), stack.heads))]
            if stack.name == "decoder":
                parts.append(self._residual(tensors, "encoder_attn", self._cross(tensors.below("encoder_attn"), stack.heads)))
            up, down = tensors.linear("fc1", stack.inner, width, True), tensors.linear("fc2", width, stack.inner, True)
            parts.append(self._residual(tensors, "final", Plain(up, down, act)))
            found.append(Layer(parts))
        return found

    def _residual(self, tensors: Tensors, name: str, branch: Branch) -> Residual:
        norm = self.norm(tensors, f"{name}_layer_norm")
        return Residual(branch, before=norm) if self.norms_first else Residual(branch, outer=norm)

    def _projections(self, tensors: Tensors) -> list[Linear]:
        width = self.sizes.width
        return [tensors.linear(f"{name}_proj", width, width, True) for name in ("q", "k", "v", "out")]

    def _attention(self, tensors: Tensors, heads: int) -> Attention:
        q, k, v, out = self._projections(tensors)
        return Attention(q, k, v, out, heads, heads, (self.sizes.width // heads) ** -0.5)

    def _cross(self, tensors: Tensors, heads: int) -> CrossAttention:
        q, k, v, out = self._projections(tensors)
        return CrossAttention(q, k, v, out, heads, (self.sizes.width // heads) ** -0.5)


class MBart(Bart):
    """Norms before the branches and one at the end of each stack."""

    norms_first = True


class PlBart(Bart):
    """The embedding is scaled where the file does not say."""

    scaled = True
