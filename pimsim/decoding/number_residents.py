"""Resident models with numbers: float64 decoders, parts of them, and heads on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from pimsim.decoding.feed import Feed, Token
from pimsim.oracle.arrays import Floats
from pimsim.oracle.blocks import Together
from pimsim.oracle.caches import Feed as LayerFeed
from pimsim.oracle.decoder import DecodedSequence, Decoder
from pimsim.oracle.functions import silu
from pimsim.oracle.rows import chain, tree


class NumberResident(Protocol):
    """Answers feeds with logits, and keeps what it is told."""

    def feed(self, feed: Feed) -> Sequence[Floats]:
        """Logits of the rows asked for."""

    def keep(self, rows: Sequence[int]) -> None:
        """Keep rows of the last feed."""

    def roll(self, length: int) -> None:
        """Forget all but the first ``length`` tokens."""

    def begin_round(self) -> None:
        """Nothing before this will be rolled back."""


@dataclass
class ModelResident:
    """A decoder with one sequence, or with one for each beam."""

    sequence: DecodedSequence
    beams: list[DecodedSequence] = field(default_factory=list)
    _before: list[DecodedSequence] = field(default_factory=list)
    _rows: tuple[Token, ...] = ()
    _paths: list[list[int]] = field(default_factory=list)

    def feed(self, feed: Feed) -> Sequence[Floats]:
        """Whole models: which layers a feed is for makes no difference to numbers."""
        if feed.beams is not None:
            return [self.beams[beam].feed([_known(token)])[-1] for beam, token in zip(feed.beams, feed.tokens, strict=True)]
        if self.sequence.pending:
            self.sequence.keep([])
        self._rows, self._paths = feed.tokens, []
        tokens = [_known(token) for token in feed.tokens]
        parents = feed.parents if feed.parents is not None else tuple(range(-1, len(tokens) - 1))
        rows = tree(len(self.sequence.tokens), parents)
        regimes = {self.sequence.model.regime(int(position) + 1) for position in rows.positions}
        if len(regimes) <= 1:
            logits = self.sequence.feed(tokens, parents)
            return [logits[row] for row in feed.logits]
        self._paths = [_path(parents, row) for row in range(len(tokens))]
        return [self.sequence.fork().feed([tokens[at] for at in self._paths[row]])[-1] for row in feed.logits]

    def keep(self, rows: Sequence[int]) -> None:
        """A fork of what was before stays until the round is over."""
        if self.beams:
            for beam in self.beams:
                beam.keep()
            return
        if self._paths:
            self._before.append(self.sequence.fork())
            if rows:
                self.sequence.step(*(_known(self._rows[row]) for row in rows))
            return
        self._before.append(self.sequence.fork())
        self._before[-1].keep([])
        self.sequence.keep(rows)

    def roll(self, length: int) -> None:
        """Back to the last fork that is short enough, and forward again."""
        tokens = self.sequence.tokens[:length]
        while len(self.sequence.tokens) > length:
            self.sequence = self._before.pop()
        if len(self.sequence.tokens) < length:
            self.sequence.step(*tokens[len(self.sequence.tokens) :])

    def fork(self, sources: Sequence[int]) -> None:
        """Beam i goes on from beam ``sources[i]``; at first all from the one sequence."""
        beams = self.beams or [self.sequence]
        self.beams = [beams[source].fork() for source in sources]

    def begin_round(self) -> None:
        """Older forks are dropped."""
        self._before = []


@dataclass
class LayeredResident(ModelResident):
    """A decoder that runs one token's layers in parts. A ``fill`` makes K and V of the layers left out from the state so far."""

    _state: Floats | None = None

    def feed(self, feed: Feed) -> Sequence[Floats]:
        """Layers ``feed.layers``, or all at once."""
        if feed.layers is None:
            return super().feed(feed)
        begin, end = feed.layers
        sequence, token = self.sequence, _known(feed.tokens[0])
        rows = chain(len(sequence.tokens), 1)
        if begin == 0:
            self._state = sequence.model.embedding([token], rows.positions)
            sequence.begin([token])
        assert self._state is not None
        state = self._state
        for layer in sequence.model.layers[begin:end]:
            out = layer(state, LayerFeed(rows, sequence.caches, sequence.encoded))
            state = state if feed.phase == "fill" else out
        self._state = state
        return list(sequence.model.head(state)) if feed.logits else []


@dataclass
class HeadsResident:
    """Heads on the target's last hidden state, with seeded weights: head i guesses the token i + 2 after the last one fed.

    ``sequential``: the feed is a tree, and the state of a row comes from its parent's and its token. With ``layer`` that
    is done by a decoder layer over the tree instead of a residual block.
    """

    target: ModelResident
    blocks: list[Floats]
    sequential: bool = False
    layer: int | None = None

    def feed(self, feed: Feed) -> Sequence[Floats]:
        """Logits of heads 0 ... for a single token, or of the rows asked for of a tree."""
        model = self.target.sequence.model
        hidden = self.target.sequence.hidden
        start = np.zeros(model.width) if hidden is None else hidden[-1]
        if not self.sequential:
            states = np.stack([start + silu(block @ start) for block in self.blocks[: len(feed.logits)]])
            return list(model.head(states))
        parents = feed.parents if feed.parents is not None else tuple(range(-1, len(feed.tokens) - 1))
        states = (
            self._layered(feed.tokens, parents, start) if self.layer is not None else self._chained(feed.tokens, parents, start)
        )
        return list(model.head(states[list(feed.logits)]))

    def _chained(self, tokens: Sequence[Token], parents: Sequence[int], start: Floats) -> Floats:
        states: list[Floats] = []
        depths: list[int] = []
        for token, parent in zip(tokens, parents, strict=True):
            depths.append(0 if parent < 0 else depths[parent] + 1)
            inside = (start if parent < 0 else states[parent]) + self._embedded(token)
            states.append(inside + silu(self.blocks[min(depths[-1], len(self.blocks) - 1)] @ inside))
        return np.stack(states)

    def _layered(self, tokens: Sequence[Token], parents: Sequence[int], start: Floats) -> Floats:
        assert self.layer is not None
        model, begin = self.target.sequence.model, len(self.target.sequence.tokens)
        inputs: list[Floats] = []
        states = np.zeros((0, model.width))
        for count, (token, parent) in enumerate(zip(tokens, parents, strict=True), 1):
            inputs.append((start if parent < 0 else states[parent]) + self._embedded(token))
            rows = tree(begin, parents[:count])
            states = model.layers[self.layer](np.stack(inputs), LayerFeed(rows, {}, self.target.sequence.encoded))
        return states

    def _embedded(self, token: Token) -> Floats:
        model = self.target.sequence.model
        return model.embedding([_known(token)], np.array([len(self.target.sequence.tokens)]))[0]

    def keep(self, rows: Sequence[int]) -> None:
        """Nothing is kept."""

    def roll(self, length: int) -> None:
        """Nothing is kept."""

    def begin_round(self) -> None:
        """Nothing is kept."""


def heads_on(target: ModelResident, count: int, seed: int, sequential: bool) -> HeadsResident:
    """``count`` heads with seeded blocks."""
    width = target.sequence.model.width
    random = np.random.default_rng([seed, width])
    blocks = [random.standard_normal((width, width)) / np.sqrt(width) for _ in range(count)]
    return HeadsResident(target, blocks, sequential)


def first_layers(decoder: Decoder, layers: int) -> Decoder:
    """The decoder cut after ``layers`` layers."""
    return replace(decoder, layers=decoder.layers[:layers])


def layers_together(decoder: Decoder, together: int) -> Decoder:
    """The decoder with so many layers at a time on the same input."""
    starts = range(0, len(decoder.layers), together)
    return replace(decoder, layers=[Together(decoder.layers[start : start + together]) for start in starts])


def _known(token: Token) -> int:
    if token is None:
        raise ValueError("a token without a number was fed to a model with numbers")
    return token


def _path(parents: Sequence[int], row: int) -> list[int]:
    path = [row]
    while parents[path[0]] >= 0:
        path.insert(0, parents[path[0]])
    return path
