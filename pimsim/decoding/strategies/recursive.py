"""Recursive speculative decoding: a small model grows a tree of its likeliest tokens, the target checks it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import verify_tree
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Keep, Rounds, Standing
from pimsim.decoding.residents import Draft, Resident
from pimsim.decoding.strategies.hydra import grow
from pimsim.decoding.strategy import TreeStrategy


class Recursive(TreeStrategy):
    """Candidates of a token are different ones (sampled without replacement; greedily: the likeliest)."""

    name: ClassVar[str] = "recursive"

    draft: str = Field(description="shipped workload, file or hub folder of the small model")

    def residents(self) -> tuple[Resident, ...]:
        return (Draft(self.draft),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        tree = self.tree()
        known = len(standing.unfed(1))
        tokens = yield from grow(tree, standing, decide, 1, "draft")
        yield Keep(1, tuple(range(known)))
        return (yield from verify_tree(standing, tree, tokens, decide))
