"""Hidden transfer, FSPAD: one layer drafts from the target's hidden states, level by level; a tree is checked."""

from __future__ import annotations

from typing import ClassVar

from pimsim.decoding.common import verify_tree
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing
from pimsim.decoding.residents import OneLayer, Resident
from pimsim.decoding.strategies.hydra import grow
from pimsim.decoding.strategy import TreeStrategy


class HiddenTransfer(TreeStrategy):
    """The draft layer has K and V of its own, one layer's."""

    name: ClassVar[str] = "hidden_transfer"

    def residents(self) -> tuple[Resident, ...]:
        return (OneLayer(self.seed),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        tree = self.tree()
        tokens = yield from grow(tree, standing, decide, 1, "heads")
        return (yield from verify_tree(standing, tree, tokens, decide))
