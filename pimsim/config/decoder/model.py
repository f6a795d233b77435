"""A decoder put together from parts, and the pattern of its layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from pimsim.config.decoder.feed_forward import FeedForward, NoFeedForward
from pimsim.config.decoder.mixers import AttentionSpec, LatentAttentionSpec, Mixer
from pimsim.config.decoder.norm import NormSpec
from pimsim.config.decoder.positions import LearnedPositions, NoPositions, Positions, RotaryPositions
from pimsim.config.decoder.wiring import EmbeddingSpec, HeadSpec, ResidualSpec
from pimsim.config.model import Source, SpecModel, unit
from pimsim.errors import nearest

Size = Annotated[int, Field(ge=1, le=1 << 24)]
Layers = Annotated[int, Field(ge=1, le=1000)]
PARTS = ("positions", "norm", "mixer", "beside", "cross", "feed_forward", "residual")
ONLY = "all"
_REPEATED = re.compile(r"(?P<name>[^*]+?)\s*\*\s*(?P<times>\d+)$")


class BlockSpec(SpecModel):
    """A kind of layer. In a file, what it does not give is the model's own."""

    mixer: Mixer
    feed_forward: FeedForward
    positions: Positions = NoPositions()
    norm: NormSpec = NormSpec()
    residual: ResidualSpec = ResidualSpec()
    beside: Mixer | None = unit("1", "a second mixer of the same input; outputs are added", default=None)
    cross: AttentionSpec | None = unit("1", "attention to the encoder's output, after the mixer", default=None)

    @property
    def mixers(self) -> tuple[Any, ...]:
        """All mixers of the layer's own tokens."""
        return (self.mixer,) if self.beside is None else (self.mixer, self.beside)


class StackSpec(SpecModel):
    """What encoder and decoder have in common: layers of one or more kinds in a pattern."""

    layers: Layers = unit("layers", "layers")
    positions: Positions = NoPositions()
    norm: NormSpec = NormSpec()
    mixer: Mixer | None = unit("1", "mixer of every layer; blocks may give others", default=None)
    beside: Mixer | None = unit("1", "a second mixer of the same input", default=None)
    cross: AttentionSpec | None = unit("1", "attention to the encoder's output", default=None)
    feed_forward: FeedForward | None = unit("1", "feed-forward part of every layer; blocks may give others", default=None)
    residual: ResidualSpec = ResidualSpec()
    blocks: dict[str, BlockSpec] = unit("1", "kinds of layers by name, each what differs from the above", default_factory=dict)
    pattern: list[str] = unit(
        "1", "names of blocks in order, 'name' or 'name*4'; repeated, or cut, to all layers", default_factory=list
    )

    @model_validator(mode="before")
    @classmethod
    def _complete_blocks(cls, values: Any) -> Any:
        """Give heads their width, and every block the parts that it does not change."""
        if not isinstance(values, Mapping):
            return values
        found = {key: _with_head_width(value, values.get("d_model")) for key, value in values.items()}
        blocks = found.get("blocks")
        if isinstance(blocks, Mapping):
            shared = {part: found[part] for part in PARTS if found.get(part) is not None}
            found["blocks"] = {name: _with_parts(shared, block, found.get("d_model")) for name, block in blocks.items()}
        return found

    @model_validator(mode="after")
    def _patterned(self) -> StackSpec:
        for entry in self.pattern:
            if not self.blocks or _named(entry)[0] not in self.blocks:
                raise ValueError(f"pattern: no block '{_named(entry)[0]}'{nearest(_named(entry)[0], self.blocks)}")
        if self.blocks and not self.pattern:
            raise ValueError(f"pattern is missing: it says which layers are {' or '.join(self.blocks)}")
        if not self.blocks:
            for part in ("mixer", "feed_forward"):
                if getattr(self, part) is None:
                    raise ValueError(f"'{part}' is missing; 'kind: none' leaves it out")
        return self

    @property
    def block_of_layer(self) -> tuple[str, ...]:
        """Name of each layer's block; ``all`` where there are no named ones."""
        if not self.blocks:
            return (ONLY,) * self.layers
        one_round = [name for entry in self.pattern for name in _expanded(entry)]
        return tuple(one_round[layer % len(one_round)] for layer in range(self.layers))

    @property
    def kinds_of_layer(self) -> dict[str, BlockSpec]:
        """Blocks that occur, by name, in the order of their first layers."""
        if self.blocks:
            return {name: self.blocks[name] for name in dict.fromkeys(self.block_of_layer)}
        given = {part: getattr(self, part) for part in PARTS}
        return {ONLY: BlockSpec.model_construct(**given)}

    def block(self, layer: int) -> BlockSpec:
        """The kind of layer ``layer``."""
        return self.kinds_of_layer[self.block_of_layer[layer]]

    def all_mixers(self) -> Iterator[tuple[int, Any]]:
        """(layer, mixer) of every mixer of own tokens."""
        for layer in range(self.layers):
            for mixer in self.block(layer).mixers:
                yield layer, mixer


class EncoderSpec(StackSpec):
    """The encoder of an encoder-decoder: run once over its tokens, all of which see each other."""

    d_model: Size = unit("elements", "width of the encoder's residual stream")
    max_tokens: Size = unit("tokens", "longest input; K and V space is reserved for it")
    embedding: EmbeddingSpec = EmbeddingSpec()
    shared_embedding: bool = unit("1", "whether it uses the decoder's token embedding", default=True)
    final_norm: bool = unit("1", "whether a norm ends it", default=True)
    vocabulary: Size | None = unit("tokens", "rows of its own token embedding; the decoder's if not given", default=None)


class DecoderSpec(StackSpec):
    """A decoder: parts and their sizes. ``encoder`` makes it the decoder of an encoder-decoder."""

    d_model: Size = unit("elements", "width of the residual stream")
    vocabulary: Size = unit("tokens", "rows of the token embedding")
    max_context: Size = unit("tokens", "longest context; K and V space is reserved for it")
    embedding: EmbeddingSpec = EmbeddingSpec()
    head: HeadSpec = HeadSpec()
    encoder: EncoderSpec | None = unit("1", "the encoder whose output the decoder's cross-attention sees", default=None)
    origin: str = unit("1", "name of the architecture it was read from", default="")
    source: Source

    @model_validator(mode="after")
    def _whole(self) -> DecoderSpec:
        tables = {block.positions for block in self.kinds_of_layer.values() if isinstance(block.positions, LearnedPositions)}
        if len(tables) > 1:
            raise ValueError("positions: learned rows are the whole model's, blocks cannot have different ones")
        for table in tables:
            if table.rows is not None and table.rows < self.max_context + table.offset:
                raise ValueError(
                    f"max_context {self.max_context} is more than the positions there are: positions.rows {table.rows} "
                    f"less offset {table.offset}"
                )
        for name, block in self.kinds_of_layer.items():
            _check_block(name, block, self.encoder is not None)
        for block in self.encoder.kinds_of_layer.values() if self.encoder else ():
            _check_block("encoder", block, False)
            if not isinstance(block.mixer, AttentionSpec) or block.beside is not None:
                raise ValueError("encoder: layers must mix by kind: attention")
        return self

    @property
    def position_table(self) -> LearnedPositions | None:
        """Learned positions, if the model has them."""
        found = self.kinds_of_layer[self.block_of_layer[0]].positions
        return found if isinstance(found, LearnedPositions) else None

    @property
    def heads(self) -> int:
        """Query heads of the first attention; 0 without one."""
        return self._first_attention("heads")

    @property
    def key_value_heads(self) -> int:
        """K and V heads of the first attention; 0 without one."""
        return self._first_attention("kv_heads")

    @property
    def head_width(self) -> int:
        """Elements of a head of the first attention; 0 without one."""
        return self._first_attention("head_width")

    @property
    def d_ff(self) -> int:
        """Inner width of the first feed-forward part; 0 without one."""
        parts = (block.feed_forward for block in self.kinds_of_layer.values())
        return next((part.width for part in parts if not isinstance(part, NoFeedForward)), 0)

    @property
    def tied_embeddings(self) -> bool:
        """Whether the LM head is the token embedding."""
        return self.head.tied

    def _first_attention(self, field: str) -> int:
        mixers = (mixer for block in self.kinds_of_layer.values() for mixer in block.mixers)
        return next((getattr(mixer, field) for mixer in mixers if isinstance(mixer, AttentionSpec)), 0)


def _check_block(name: str, block: BlockSpec, encoder: bool) -> None:
    if block.cross is not None and not encoder:
        raise ValueError(f"{name}: cross-attention needs an encoder")
    if not isinstance(block.positions, RotaryPositions):
        return
    for mixer in block.mixers:
        if isinstance(mixer, LatentAttentionSpec):
            if mixer.rotary_width % 2:
                raise ValueError(f"rotary_width {mixer.rotary_width} must be even: rotary positions turn pairs of elements")
        elif isinstance(mixer, AttentionSpec) and mixer.rotate:
            width = block.positions.width or mixer.head_width
            if width % 2:
                raise ValueError(f"d_head {mixer.head_width} must be even: rotary positions turn pairs of elements")
            if width > mixer.head_width:
                raise ValueError(f"positions.width {width} is more than head_width {mixer.head_width}")


def _named(entry: str) -> tuple[str, int]:
    found = _REPEATED.match(entry)
    return (found["name"], int(found["times"])) if found else (entry, 1)


def _expanded(entry: str) -> list[str]:
    name, times = _named(entry)
    return [name] * times


def merged(base: Any, changes: Any) -> Any:
    """``changes`` over ``base``: mappings key by key, but a part of another ``kind`` as a whole."""
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    if "kind" in changes and changes["kind"] != base.get("kind", changes["kind"]):
        return changes
    return {**base, **{key: merged(base.get(key), value) for key, value in changes.items()}}


def _with_parts(shared: dict[str, Any], block: Any, d_model: Any) -> Any:
    if not isinstance(block, Mapping):
        return block if block is not None else shared
    return {
        **shared, **{key: _with_head_width(merged(shared.get(key), value), d_model) for key, value in block.items()}
    }  # fmt: skip


def _with_head_width(part: Any, d_model: Any) -> Any:
    """A part with ``head_width`` put in as d_model / heads where attention does not give it."""
    if not isinstance(part, Mapping) or part.get("kind") != "attention" or part.get("head_width") is not None:
        return part
    heads = part.get("heads")
    if isinstance(heads, int) and isinstance(d_model, int) and heads > 0:
        if d_model % heads:
            raise ValueError(f"d_model {d_model} is not a multiple of heads {heads}; give head_width")
        return {**part, "head_width": d_model // heads}
    return part
