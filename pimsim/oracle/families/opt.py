"""OPT: learned positions from the third row on; norms before or after; embeddings narrower than the model."""

from __future__ import annotations

from functools import cached_property

from pimsim.oracle.arrays import Floats
from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Residual
from pimsim.oracle.decoder import Embedding, Head
from pimsim.oracle.families.family import Family
from pimsim.oracle.feed_forward import Plain
from pimsim.oracle.functions import activation
from pimsim.oracle.linear import Linear
from pimsim.oracle.norms import Norm, layer_norm
from pimsim.oracle.tensors import Tensors

OFFSET = 2


class Opt(Family):
    """With norms after the branches there is no final one."""

    base_names = ("model.decoder", "decoder")
    tied, final_norm = True, "final_layer_norm"

    def longest(self) -> int:
        return self.config.integer("max_position_embeddings", default=2048)  # type: ignore[no-any-return]

    @property
    def narrow(self) -> int:
        """Width of the embeddings."""
        return self.config.integer("word_embed_proj_dim", default=self.sizes.width)  # type: ignore[no-any-return]

    def norm(self, tensors: Tensors, name: str) -> Norm:
        if not self.config.flag("layer_norm_elementwise_affine", default=True):
            return Norm(1e-5, True)
        return layer_norm(tensors, name, self.sizes.width, 1e-5)

    def _projection(self, name: str, outputs: int, inputs: int) -> Linear | None:
        return None if self.narrow == self.sizes.width else self.base.linear(name, outputs, inputs)

    @property
    def before(self) -> bool:
        """Whether norms come before the branches."""
        return self.config.flag("do_layer_norm_before", default=True)  # type: ignore[no-any-return]

    def embedding(self) -> Embedding:
        positions = self.base.take("embed_positions.weight", self.longest() + OFFSET, self.sizes.width)
        project = self._projection("project_in", self.sizes.width, self.narrow)
        return Embedding(self.token_table, project=project, positions=lambda at: positions[at + OFFSET])

    @cached_property
    def token_table(self) -> Floats:
        """(vocabulary, narrow width)."""
        return self.base.take("embed_tokens.weight", self.sizes.vocabulary, self.narrow)

    def head(self) -> Head:
        removed = self.config.flag("_remove_final_layer_norm", default=False)
        norm = self.norm(self.base, self.final_norm) if self.before and not removed else None
        return Head(self.head_matrix(), norm, self._projection("project_out", self.narrow, self.sizes.width))

    def layer(self, layer: int) -> Branch:
        tensors, width = self.base.below("layers", layer), self.sizes.width
        bias = self.config.flag("enable_bias", default=True)
        inner = self.config.integer("ffn_dim", "intermediate_size")
        act = activation(self.config, "activation_function", default="relu")
        feed_forward = Plain(tensors.linear("fc1", inner, width, bias), tensors.linear("fc2", width, inner, bias), act)
        branches = (self.attention(tensors.below("self_attn"), bias), "self_attn_layer_norm"), (feed_forward, "final_layer_norm")
        if self.before:
            return Layer([Residual(branch, self.norm(tensors, norm)) for branch, norm in branches])
        return Layer([Residual(branch, outer=self.norm(tensors, norm)) for branch, norm in branches])

    def attention(self, tensors: Tensors, bias: bool) -> Attention:
        """Separate projections."""
        sizes, width = self.sizes, self.sizes.width
        q, k, v, out = (tensors.linear(f"{name}_proj", width, width, bias) for name in ("q", "k", "v", "out"))
        return Attention(q, k, v, out, sizes.heads, sizes.heads, sizes.head_width**-0.5)
