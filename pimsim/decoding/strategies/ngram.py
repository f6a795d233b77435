"""Drafts from a table of n-grams of the text so far (ADED, prompt look-up): no model; a tree of the most frequent is checked."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import verify_tree
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing, Token
from pimsim.decoding.strategy import TreeStrategy
from pimsim.decoding.tree import Tree


class Ngram(TreeStrategy):
    """Candidates are what followed the last ``order`` - 1 tokens before, the most frequent first."""

    name: ClassVar[str] = "ngram"

    order: int = Field(3, ge=2, le=8, description="tokens of an n-gram [tokens]")

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        tree = self.tree()
        nodes, tokens = self._candidates(tree, standing.tokens)
        return (yield from verify_tree(standing, tree.subtree(nodes), tokens, decide))

    def _candidates(self, tree: Tree, tokens: list[Token]) -> tuple[list[int], list[Token]]:
        if tokens[-1] is None:
            return list(range(len(tree.parents))), [None] * len(tree.parents)
        seen: dict[tuple[Token, ...], Counter[Token]] = {}
        for end in range(self.order - 1, len(tokens)):
            seen.setdefault(tuple(tokens[end - self.order + 1 : end]), Counter())[tokens[end]] += 1
        last = {-1: tuple(tokens[1 - self.order :])}
        nodes: list[int] = []
        for node, (parent, rank) in enumerate(zip(tree.parents, tree.ranks, strict=True)):
            ranked = seen[last[parent]].most_common(rank + 1) if parent in last and last[parent] in seen else []
            if rank < len(ranked):
                last[node] = (*last[parent], ranked[rank][0])[1 - self.order :]
                nodes.append(node)
        return nodes, [last[node][-1] for node in nodes]
