"""Which drafted tokens turn out right, where there are no numbers: seeded probabilities, or a file of outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pimsim.decoding.tree import Tree
from pimsim.errors import ConfigError, RequestError

Probabilities = float | list[float] | list[list[float]]
Outcome = int | list[int]


@dataclass(frozen=True)
class Acceptance:
    """``given``: one probability, one for each depth (the last goes on), or for each depth one for each rank.

    With one for a depth, p, the candidate of rank r is the right one with p (1 - p)^r: each that is left has the same chance.
    """

    given: Probabilities

    def probability(self, depth: int, rank: int = 0) -> float:
        """That the candidate of ``rank`` is right, its parent being so."""
        if isinstance(self.given, list):
            here = self.given[min(depth, len(self.given) - 1)]
            if isinstance(here, list):
                return here[rank] if rank < len(here) else 0.0
        else:
            here = self.given
        return here * (1 - here) ** rank

    def path(self, tree: Tree, random: np.random.Generator) -> list[int]:
        """Nodes of ``tree`` that are right, from the root on."""
        path: list[int] = []
        node = -1
        while children := tree.children(node):
            draw, node = random.random(), -1
            for child in children:
                draw -= self.probability(len(path), tree.ranks[child])
                if draw < 0:
                    node = child
                    break
            if node < 0:
                break
            path.append(node)
        return path


@dataclass
class Outcomes:
    """Outcomes of rounds as a file lists them: how many of the likeliest candidates are right, or the ranks of the right ones."""

    where: str
    listed: Sequence[Outcome]
    used: int = 0

    def path(self, tree: Tree, random: np.random.Generator) -> list[int]:
        """As the next entry says. Raises RequestError if there is none, or the tree has no such path."""
        if self.used >= len(self.listed):
            raise RequestError(f"{self.where}: holds outcomes of {len(self.listed)} rounds; the run has more")
        entry = self.listed[self.used]
        self.used += 1
        ranks = [0] * entry if isinstance(entry, int) else entry
        path: list[int] = []
        for rank in ranks:
            found = [child for child in tree.children(path[-1] if path else -1) if tree.ranks[child] == rank]
            if not found:
                raise RequestError(f"{self.where}: outcome {self.used}, {entry}: nothing of that rank was drafted there")
            path.append(found[0])
        return path


def check_probabilities(given: Any) -> Probabilities | None:
    """``given`` as it is. Raises ValueError for anything but probabilities, and for candidates of one token that sum to more than 1."""
    if given is None:
        return None
    levels = given if isinstance(given, list) else [given]
    if not levels:
        raise ValueError("needs at least one probability")
    for level in levels:
        shares = level if isinstance(level, list) else [level]
        for share in shares:
            if isinstance(share, bool) or not isinstance(share, int | float):
                raise ValueError(f"{share!r} must be a probability, a list of them, or a list of lists")
            if not 0 <= share <= 1:
                raise ValueError(f"probability {share:g} must be from 0 to 1")
        if sum(shares) > 1 + 1e-12:
            raise ValueError(f"probabilities {shares} of one token's candidates sum to {sum(shares):g}, which is above 1")
    return given  # type: ignore[no-any-return]


def read_outcomes(path: str | Path) -> Outcomes:
    """A JSON list of numbers or lists of ranks. Raises ConfigError for anything else."""
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not valid JSON: {error}") from None
    if not isinstance(listed, list) or not listed:
        raise ConfigError(f"{path}: must be a list with an outcome for each round")
    for index, entry in enumerate(listed, 1):
        numbers = entry if isinstance(entry, list) else [entry]
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ConfigError(f"{path}: outcome {index}, {entry!r}: must be a number of tokens, or a list of ranks")
    return Outcomes(str(path), listed)
