"""Medusa: extra heads on the last hidden state guess the next tokens, a tree of combinations is checked."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from pimsim.decoding.common import verify_tree
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Feed, Rounds, Standing, Token
from pimsim.decoding.residents import ExtraHeads, Resident
from pimsim.decoding.strategy import TreeStrategy
from pimsim.decoding.tree import Tree


class Medusa(TreeStrategy):
    """``heads`` heads, one for each level of the tree."""

    name: ClassVar[str] = "medusa"

    heads: int = Field(4, ge=1, le=16, description="extra heads")
    default_widths: ClassVar[tuple[int, ...]] = (4, 3, 2)

    @model_validator(mode="after")
    def _deep_enough(self) -> Medusa:
        if self.tree().depth > self.heads:
            raise ValueError(f"the tree has {self.tree().depth} levels; {self.heads} heads fill {self.heads}")
        return self

    def residents(self) -> tuple[Resident, ...]:
        return (ExtraHeads(self.heads, self.seed),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        tree = self.tree()
        answer = yield Feed("heads", 1, standing.unfed(0)[-1:], logits=tuple(range(tree.depth)))
        tokens = by_level(tree, [decide.ranked(answer[level], widest(tree, level)) for level in range(tree.depth)])
        return (yield from verify_tree(standing, tree, tokens, decide))


def widest(tree: Tree, level: int) -> int:
    """Candidates that a level needs."""
    return max(tree.ranks[node] for node in tree.level(level)) + 1


def by_level(tree: Tree, ranked: list[tuple[Token, ...]]) -> list[Token]:
    """The token of each node, from one ranking a level."""
    return [ranked[depth][rank] for depth, rank in zip(tree.depths, tree.ranks, strict=True)]
