"""How a strategy's questions are answered: from logits, or from seeded chance where there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pimsim.decoding.acceptance import Acceptance, Outcomes
from pimsim.decoding.feed import Token
from pimsim.decoding.tree import Tree


class Decisions(Protocol):
    """Asked by strategies about the answers they get."""

    def token(self, logits: Any) -> Token:
        """The likeliest token."""

    def ranked(self, logits: Any, count: int) -> tuple[Token, ...]:
        """The ``count`` likeliest tokens, in order."""

    def path(self, tree: Tree, tokens: Sequence[Token], logits: Sequence[Any]) -> list[int]:
        """Nodes that the target confirms. ``logits``: after the last known token, then after each node."""

    def happens(self, probability: float, test: Callable[[], bool]) -> bool:
        """Whether something happens: by ``test`` where there are numbers, else by chance."""


@dataclass
class ByNumbers:
    """Greedy: the token with the largest logit is right."""

    def token(self, logits: Any) -> Token:
        """Largest logit, the first of equal ones."""
        return int(np.argmax(logits))

    def ranked(self, logits: Any, count: int) -> tuple[Token, ...]:
        """By logit, the first of equal ones first."""
        return tuple(int(token) for token in np.argsort(-np.asarray(logits), kind="stable")[:count])

    def path(self, tree: Tree, tokens: Sequence[Token], logits: Sequence[Any]) -> list[int]:
        """As long as a child is what the target would choose."""
        path: list[int] = []
        while True:
            node = path[-1] if path else -1
            wanted = self.token(logits[node + 1])
            right = [child for child in tree.children(node) if tokens[child] == wanted]
            if not right:
                return path
            path.append(right[0])

    def happens(self, probability: float, test: Callable[[], bool]) -> bool:
        """By the test."""
        return test()


@dataclass
class ByChance:
    """Seeded; tokens are not known."""

    acceptance: Acceptance | Outcomes
    random: np.random.Generator

    def token(self, logits: Any) -> Token:
        """Not known."""
        return None

    def ranked(self, logits: Any, count: int) -> tuple[Token, ...]:
        """Not known."""
        return (None,) * count

    def path(self, tree: Tree, tokens: Sequence[Token], logits: Sequence[Any]) -> list[int]:
        """Drawn, or as the file of outcomes says."""
        return self.acceptance.path(tree, self.random)

    def happens(self, probability: float, test: Callable[[], bool]) -> bool:
        """With ``probability``."""
        return bool(self.random.random() < probability)


def confidence(logits: Any) -> float:
    """Share of the likeliest token."""
    powers = np.exp(np.asarray(logits) - np.max(logits))
    return float(1 / powers.sum())


def entropy(logits: Any) -> float:
    """Entropy of the shares of all tokens, in nats."""
    shifted = np.asarray(logits, np.float64) - np.max(logits)
    powers = np.exp(shifted)
    return float(np.log(powers.sum()) - (powers * shifted).sum() / powers.sum())
