"""What all families of decoders share: sizes, the embedding, the head, and the order in which they are put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pimsim.oracle.arrays import Floats
from pimsim.oracle.blocks import Branch
from pimsim.oracle.config import HEADS, LAYERS, WIDTH, HubConfig
from pimsim.oracle.decoder import Decoder, Embedding, Head
from pimsim.oracle.linear import Linear
from pimsim.oracle.rotary import Frequencies, Rotary
from pimsim.oracle.tensors import Tensors


@dataclass(frozen=True)
class Sizes:
    """Widths and counts of a decoder."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    vocabulary: int


def sizes_of(config: HubConfig) -> Sizes:
    """Sizes in any spelling. Raises ConfigError if heads do not divide what they must."""
    width, heads = config.integer(*WIDTH), config.integer(*HEADS)
    head_width = config.integer("head_dim", default=None)
    if head_width is None:
        if width % heads:
            raise config.error(HEADS[0], f"{heads} heads do not divide the width of {width}")
        head_width = width // heads
    kv_heads = config.integer("num_key_value_heads", default=heads)
    if heads % kv_heads:
        raise config.error("num_key_value_heads", f"{kv_heads} do not divide {heads} query heads")
    return Sizes(width, config.integer(*LAYERS), heads, kv_heads, head_width, config.integer("vocab_size"))


class Family:
    """Builds a decoder; each family overrides what is its own.

    ``tied``: whether the head is the embedding where the file does not say.
    """

    base_names: tuple[str, ...] = ("model",)
    table = "embed_tokens"
    head_name = "lm_head"
    head_bias = False
    final_norm = "norm"
    tied = False
    skip: tuple[str, ...] = ()

    def __init__(self, config: HubConfig, tensors: Tensors) -> None:
        self.config, self.root = config, tensors
        self.base = tensors.base(*self.base_names)
        self.sizes = self.read_sizes()
        self.frequencies: list[Frequencies] = []
        self._rotaries: dict[Any, Rotary] = {}

    def read_sizes(self) -> Sizes:
        """Sizes from the configuration."""
        return sizes_of(self.config)

    def build(self) -> Decoder:
        """The whole decoder."""
        layers = [self.layer(layer) for layer in range(self.sizes.layers)]
        return Decoder(
            self.embedding(), layers, self.head(), self.sizes.vocabulary, frequencies=self.frequencies, longest=self.longest()
        )

    def layer(self, layer: int) -> Branch:
        """One layer, from its number."""
        raise NotImplementedError

    def norm(self, tensors: Tensors, name: str) -> Any:
        """A norm over the residual stream."""
        raise NotImplementedError

    def longest(self) -> int | None:
        """Positions that were learned; None if any can be fed."""
        return None

    def embedding(self) -> Embedding:
        """Token embedding with all that follows before the first layer."""
        return Embedding(self.token_table)

    @cached_property
    def token_table(self) -> Floats:
        """(vocabulary, width)."""
        return self.base.take(f"{self.table}.weight", self.sizes.vocabulary, self.sizes.width)

    def head(self) -> Head:
        """Final norm and logits."""
        return Head(self.head_matrix(), self.norm(self.base, self.final_norm))

    def head_matrix(self) -> Linear:
        """The embedding where it is tied, else a matrix of its own."""
        name, bias = f"{self.head_name}.weight", None
        if self.head_bias:
            bias = self.root.take(f"{self.head_name}.bias", self.sizes.vocabulary)
        if not self.config.flag("tie_word_embeddings", default=self.tied):
            return Linear(self.root.take(name, self.sizes.vocabulary, self.token_table.shape[1]), bias)
        if self.root.has(name):
            self.root.use(name)
        return Linear(self.token_table, bias)

    def shared_rotary(self, key: Any, make: Any) -> Rotary:
        """One rotation for all layers with the same ``key``."""
        if key not in self._rotaries:
            self._rotaries[key] = make()
            self.frequencies.append(self._rotaries[key].frequencies)
        return self._rotaries[key]
