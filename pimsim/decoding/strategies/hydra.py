"""Hydra: heads that also see what was drafted before them, level by level."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from pimsim.decoding.common import verify_tree
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Feed, Rounds, Standing, Token
from pimsim.decoding.residents import ExtraHeads, Resident
from pimsim.decoding.strategy import TreeStrategy
from pimsim.decoding.tree import Tree


class Hydra(TreeStrategy):
    """The head of a level runs once for each node above it."""

    name: ClassVar[str] = "hydra"

    heads: int = Field(4, ge=1, le=16, description="extra heads")
    default_widths: ClassVar[tuple[int, ...]] = (4, 3, 2)

    @model_validator(mode="after")
    def _deep_enough(self) -> Hydra:
        if self.tree().depth > self.heads:
            raise ValueError(f"the tree has {self.tree().depth} levels; {self.heads} heads fill {self.heads}")
        return self

    def residents(self) -> tuple[Resident, ...]:
        return (ExtraHeads(self.heads, self.seed, sequential=True),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        tree = self.tree()
        tokens = yield from grow(tree, standing, decide, 1, "heads")
        return (yield from verify_tree(standing, tree, tokens, decide))


def grow(tree: Tree, standing: Standing, decide: Decisions, model: int, phase: str):  # type: ignore[no-untyped-def]
    """Tokens of all nodes: each level from ``model`` fed with the nodes above that have children, as a tree of its own."""
    tokens: list[Token] = [None] * len(tree.parents)
    known = standing.unfed(0)[-1:] if phase == "heads" else standing.unfed(model)
    inner = [node for node in range(len(tree.parents)) if tree.children(node)]
    place = {-1: len(known) - 1} | {node: len(known) + index for index, node in enumerate(inner)}
    fed = 0
    for level in range(tree.depth):
        above = [-1] if level == 0 else [node for node in tree.level(level - 1) if node in place]
        count = len(known) + (0 if level == 0 else 1 + max(place[node] for node in above) - len(known))
        parents = (*range(-1, len(known) - 1), *(place[tree.parents[node]] for node in inner[: count - len(known)]))
        rows = (*known, *(tokens[node] for node in inner[: count - len(known)]))
        answer = yield Feed(phase, model, rows, parents, tuple(place[node] for node in above), seen=fed)
        fed = count
        for node, logits in zip(above, answer, strict=True):
            children = tree.children(node)
            ranked = decide.ranked(logits, tree.ranks[children[-1]] + 1)
            for child in children:
                tokens[child] = ranked[tree.ranks[child]]
    return tokens
