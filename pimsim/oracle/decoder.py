"""A decoder from embedding to logits, and a sequence that is fed to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pimsim.errors import RequestError
from pimsim.oracle.arrays import Floats, Ints
from pimsim.oracle.blocks import Branch
from pimsim.oracle.caches import Feed
from pimsim.oracle.rotary import Frequencies
from pimsim.oracle.rows import Rows, chain, everything, tree

Map = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Rows of ``table`` times ``scale``, through ``project``, plus learned positions, then a norm.

    ``positions(of, token ids)`` gives what is added for positions (rows,).
    """

    table: Floats
    scale: float = 1.0
    project: Map | None = None
    positions: Callable[[Ints], Floats] | None = None
    norm: Map | None = None

    def __call__(self, tokens: Sequence[int], at: Ints) -> Floats:
        """(rows, width)."""
        x = self.table[np.asarray(tokens, np.int64)].astype(np.float64) * self.scale
        if self.project is not None:
            x = self.project(x)
        if self.positions is not None:
            x = x + self.positions(at)
        return x if self.norm is None else self.norm(x)


@dataclass(frozen=True, eq=False)
class Head:
    """``norm``, ``project``, the matrix, ``scale``, and a soft cap."""

    matrix: Map
    norm: Map | None = None
    project: Map | None = None
    scale: float = 1.0
    cap: float | None = None

    def __call__(self, x: Floats) -> Floats:
        """(rows, width) to (rows, vocabulary)."""
        for part in (self.norm, self.project):
            if part is not None:
                x = part(x)
        logits = self.matrix(x) * self.scale
        return logits if self.cap is None else self.cap * np.tanh(logits / self.cap)


@dataclass(frozen=True, eq=False)
class Encoder:
    """Layers that see the whole input at once."""

    embedding: Embedding
    layers: Sequence[Branch]
    norm: Map | None = None

    def __call__(self, tokens: Sequence[int]) -> Floats:
        """(tokens, width)."""
        rows = everything(len(tokens))
        x = self.embedding(tokens, rows.positions)
        feed = Feed(rows, {})
        for layer in self.layers:
            x = layer(x, feed)
        return x if self.norm is None else self.norm(x)


@dataclass(frozen=True, eq=False)
class Decoder:
    """``frequencies``: those of all rotations, which tell whether earlier tokens must be computed anew at a greater length.

    ``longest``: positions that the model has learned, or None.
    """

    embedding: Embedding
    layers: Sequence[Branch]
    head: Head
    vocabulary: int
    encoder: Encoder | None = None
    frequencies: Sequence[Frequencies] = ()
    longest: int | None = None

    def sequence(self, encoder_ids: Sequence[int] | None = None) -> DecodedSequence:
        """A new sequence. Raises RequestError if encoder tokens are missing, too many, or not wanted."""
        if (encoder_ids is not None) != (self.encoder is not None):
            wanted = "needs the tokens of its encoder" if self.encoder else "has no encoder, but encoder tokens were given"
            raise RequestError(f"the model {wanted}")
        self.check_tokens(encoder_ids or ())
        return DecodedSequence(self, None if self.encoder is None else self.encoder(encoder_ids or ()))

    def regime(self, length: int) -> tuple[int, ...]:
        """Equal for lengths at which earlier tokens need not be computed anew."""
        return tuple(one.regime(length) for one in self.frequencies)

    @property
    def width(self) -> int:
        """Width of the residual stream."""
        return int(self.embedding([0], np.zeros(1, np.int64)).shape[1])

    def check_tokens(self, tokens: Sequence[int]) -> None:
        """Raise RequestError for a token that is not in the vocabulary."""
        for token in tokens:
            if not 0 <= token < self.vocabulary:
                raise RequestError(f"token {token} is not in the vocabulary: 0 .. {self.vocabulary - 1}")

    def run(self, tokens: Sequence[int], feed: Feed) -> Floats:
        """The residual stream (rows, width) after all layers."""
        x = self.embedding(tokens, feed.rows.positions)
        for layer in self.layers:
            x = layer(x, feed)
        return x


@dataclass(eq=False)
class DecodedSequence:
    """One sequence: the tokens kept so far, and the caches of the layers."""

    model: Decoder
    encoded: Floats | None = None
    tokens: list[int] = field(default_factory=list)
    caches: dict[object, Any] = field(default_factory=dict)
    hidden: Floats | None = None
    _pending: list[int] = field(default_factory=list)

    def feed(self, tokens: Sequence[int], parents: Sequence[int] | None = None) -> Floats:
        """Logits (rows, vocabulary) of tokens after the kept ones: a chain, or a tree by ``parents``.

        They are kept or dropped by ``keep``, which must come before the next feed; ``hidden`` is their residual stream until
        then, and that of the last kept row afterwards. Raises RequestError for a position that the model has not learned.
        """
        rows = chain(len(self.tokens), len(tokens)) if parents is None else tree(len(self.tokens), parents)
        self._check(tokens, rows)
        if self.caches and self.model.regime(rows.length) != self.model.regime(len(self.tokens)):
            self._anew(rows.length)
        self._pending = list(tokens)
        self.hidden = self.model.run(tokens, Feed(rows, self.caches, self.encoded))
        return self.model.head(self.hidden)

    @property
    def pending(self) -> bool:
        """Whether rows of the last feed are neither kept nor dropped."""
        return bool(self._pending)

    def begin(self, tokens: Sequence[int]) -> None:
        """Take ``tokens`` as the rows of a feed whose layers the caller runs."""
        self._check(tokens, chain(len(self.tokens), len(tokens)))
        self._pending = list(tokens)

    def keep(self, rows: Sequence[int] | None = None) -> None:
        """Keep these rows of the last feed, a path from its root on; all of them by default."""
        rows = range(len(self._pending)) if rows is None else rows
        for cache in self.caches.values():
            cache.keep(rows)
        self.tokens += [self._pending[row] for row in rows]
        if rows and self.hidden is not None:
            self.hidden = self.hidden[[rows[-1]]]
        self._pending = []

    def step(self, *tokens: int) -> Floats:
        """Feed a chain, keep it, and return its logits (rows, vocabulary)."""
        logits = self.feed(tokens)
        self.keep()
        return logits

    def fork(self) -> DecodedSequence:
        """A second sequence with the same past."""
        copies = {owner: cache.copy() for owner, cache in self.caches.items()}
        return DecodedSequence(self.model, self.encoded, list(self.tokens), copies, self.hidden, list(self._pending))

    def _anew(self, length: int) -> None:
        self.caches.clear()
        rows = chain(0, len(self.tokens))
        at_length = Rows(rows.positions, rows.parents, rows.visible, length)
        self.model.run(self.tokens, Feed(at_length, self.caches, self.encoded))
        for cache in self.caches.values():
            cache.keep(range(len(self.tokens)))

    def _check(self, tokens: Sequence[int], rows: Rows) -> None:
        if not tokens:
            raise RequestError("no tokens to feed")
        if self._pending:
            raise RuntimeError("the rows of the last feed were neither kept nor dropped")
        self.model.check_tokens(tokens)
        if self.model.longest is not None and rows.length > self.model.longest:
            raise RequestError(
                f"{rows.length} tokens are more than the {self.model.longest} positions that the model has learned"
            )
