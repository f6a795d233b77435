"""Token recycling: a table of the last candidates after each token, no model; a tree from it is checked."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import verify_tree
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import TARGET, Answer, Feed, Rounds, Standing, Token
from pimsim.decoding.strategy import TreeStrategy
from pimsim.decoding.tree import Tree

Table = dict[Token, tuple[Token, ...]]


class TokenRecycling(TreeStrategy):
    """The table keeps ``candidates`` of every token, those that the target found likeliest the last time it was fed."""

    name: ClassVar[str] = "token_recycling"
    default_widths: ClassVar[tuple[int, ...]] = (8, 3, 1, 1)

    candidates: int = Field(8, ge=1, le=64, description="candidates kept for a token")

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        table: Table = standing.memory.setdefault("table", {})
        nodes, tokens = candidates_of(self.tree(), table, standing.tokens[-1])
        rounds = verify_tree(standing, self.tree().subtree(nodes), tokens, decide)
        fed, request = None, next(rounds)
        try:
            while True:
                answer: Answer = yield request
                if isinstance(request, Feed) and request.model == TARGET:
                    fed = [request.tokens[row] for row in request.logits]
                    table.update(
                        {token: decide.ranked(logits, self.candidates) for token, logits in zip(fed, answer, strict=True)}
                    )
                request = rounds.send(answer)
        except StopIteration as over:
            return over.value  # type: ignore[no-any-return]


def candidates_of(tree: Tree, table: Table, root: Token) -> tuple[list[int], list[Token]]:
    """Nodes of ``tree`` that the table has a candidate for, and their tokens. Without tokens the table has all."""
    nodes: list[int] = []
    found: dict[int, Token] = {-1: root}
    for node, (parent, rank) in enumerate(zip(tree.parents, tree.ranks, strict=True)):
        if parent not in found:
            continue
        known = (None,) * (rank + 1) if root is None else table.get(found[parent], ())
        if rank < len(known):
            found[node] = known[rank]
            nodes.append(node)
    return nodes, [found[node] for node in nodes]
