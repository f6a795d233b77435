"""Tokens kept a round by independent acceptance, in closed form, to check seeded runs with."""

from __future__ import annotations

import math

from pimsim.decoding.acceptance import Acceptance
from pimsim.decoding.tree import Tree, chain


def tokens_per_round(acceptance: Acceptance, tree: Tree) -> float:
    """1, for the target's own token, plus the probability of each node that all up to it are right."""
    reached: list[float] = []
    for parent, rank, depth in zip(tree.parents, tree.ranks, tree.depths, strict=True):
        reached.append((reached[parent] if parent >= 0 else 1.0) * acceptance.probability(depth, rank))
    return 1.0 + math.fsum(reached)


def tokens_per_chain(probability: float, drafts: int) -> float:
    """(1 - a^(k + 1)) / (1 - a) for k drafts that are right with a each."""
    return tokens_per_round(Acceptance(probability), chain(drafts))
