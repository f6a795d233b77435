"""What layers keep of the tokens so far. Rows of a feed count only after ``keep``; what it leaves out is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from pimsim.oracle.arrays import Floats, Ints
from pimsim.oracle.rows import Rows


class Cache(Protocol):
    """What one layer keeps."""

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows of the last feed, a path of it in order."""

    def copy(self) -> Any:
        """A second cache with the same content."""


@dataclass
class KeyValueCache:
    """Keys and values (tokens, heads, width) with their positions; the last ``pending`` are those of the last feed."""

    keys: Floats | None = None
    values: Floats | None = None
    positions: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    pending: int = 0

    def extend(self, keys: Floats, values: Floats, positions: Ints) -> int:
        """Add the rows of a feed; returns how many tokens were kept before it."""
        before = len(self.positions)
        self.keys = keys if self.keys is None else np.concatenate([self.keys, keys])
        self.values = values if self.values is None else np.concatenate([self.values, values])
        self.positions = np.concatenate([self.positions, positions])
        self.pending = len(positions)
        return before

    def keep(self, rows: Sequence[int]) -> None:
        """Drop the rows of the last feed that are not listed."""
        if self.keys is None or self.values is None or not self.pending:
            return
        before = len(self.positions) - self.pending
        if list(rows) != list(range(self.pending)):
            chosen = np.concatenate([np.arange(before), before + np.asarray(rows, np.int64)])
            self.keys, self.values, self.positions = self.keys[chosen], self.values[chosen], self.positions[chosen]
        self.pending = 0

    def copy(self) -> KeyValueCache:
        """Shares arrays, which are never written to."""
        return KeyValueCache(self.keys, self.values, self.positions, self.pending)


@dataclass
class StateCache:
    """The state after the last kept token, and after each row of the last feed; states are never written to."""

    kept: Any = None
    after: list[Any] = field(default_factory=list)

    def start(self, parent: int, empty: Any) -> Any:
        """The state that a row begins with."""
        if parent >= 0:
            return self.after[parent]
        return empty if self.kept is None else self.kept

    def keep(self, rows: Sequence[int]) -> None:
        """The state after the last of ``rows`` is kept; with none, that of before."""
        if rows and self.after:
            self.kept = self.after[rows[-1]]
        self.after = []

    def copy(self) -> StateCache:
        """States are shared."""
        return StateCache(self.kept, list(self.after))


@dataclass
class FixedCache:
    """Something computed once for a sequence, as keys and values of an encoder's output."""

    value: Any = None

    def keep(self, rows: Sequence[int]) -> None:
        """Nothing changes."""

    def copy(self) -> FixedCache:
        """The value is shared."""
        return FixedCache(self.value)


CacheKind = TypeVar("CacheKind")


@dataclass(frozen=True, eq=False)
class Feed:
    """What a layer sees beside its input: the rows, the caches of the sequence, and the encoder's output."""

    rows: Rows
    caches: dict[object, Any]
    encoded: Floats | None = None

    def cache(self, owner: object, kind: Callable[[], CacheKind]) -> CacheKind:
        """The cache of ``owner``, made when it is first asked for."""
        if owner not in self.caches:
            self.caches[owner] = kind()
        return self.caches[owner]  # type: ignore[no-any-return]
