"""What strategies ask for: rows to feed to a resident model, rows to keep, tokens to forget."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

Token = int | None  # None where only time is simulated
TARGET = 0  # number of the model whose tokens count


@dataclass(frozen=True)
class Feed:
    """Rows of one sequence for resident ``model``: ``tokens`` after what it keeps, a chain, or a tree by ``parents``.

    ``phase``: draft, verify, plain, catch_up, heads or fill, for the breakdown. ``logits``: rows whose logits are needed. ``seen``: leading
    rows that were fed in this round before (lower levels of a draft tree) and only have to be attended to. ``layers``: from and to
    which layer, for models that run in parts; the end may be None. ``beams``: beam of each row, where each goes with its own.
    """

    phase: str
    model: int
    tokens: tuple[Token, ...]
    parents: tuple[int, ...] | None = None
    logits: tuple[int, ...] = ()
    seen: int = 0
    layers: tuple[int, int | None] | None = None
    beams: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Keep:
    """These rows of the model's last feed stay, a path from its root on; the others are overwritten."""

    model: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Roll:
    """The model keeps the first ``length`` tokens only."""

    model: int
    length: int


@dataclass(frozen=True)
class Fork:
    """Beam i goes on with what beam ``sources[i]`` has."""

    model: int
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Round:
    """How a round ended: ``tokens`` that it added, how many ``drafted`` ones were ``accepted``."""

    tokens: tuple[Token, ...]
    drafted: int = 0
    accepted: int = 0


Request = Feed | Keep | Roll | Fork
Answer = Sequence[Any]  # logits (vocabulary,) of each row asked for; None each where only time is simulated
Rounds = Generator[Request, Answer, Round]


@dataclass
class Standing:
    """Where a sequence stands: its ``tokens`` so far, the last of which the target has not been fed, and how many of them each
    resident model keeps. ``memory`` is the strategy's own.
    """

    tokens: list[Token]
    fed: list[int]
    memory: dict[str, Any] = field(default_factory=dict)

    def unfed(self, model: int) -> tuple[Token, ...]:
        """Tokens that ``model`` has not been fed yet."""
        return tuple(self.tokens[self.fed[model] :])
