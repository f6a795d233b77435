"""One token at a time."""

from __future__ import annotations

from typing import ClassVar

from pimsim.decoding.common import plain_round
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing
from pimsim.decoding.strategy import Strategy


class Plain(Strategy):
    """Nothing is drafted."""

    name: ClassVar[str] = "plain"
    rolls_back: ClassVar[bool] = False
    default_acceptance: ClassVar[float | None] = 1.0

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        return plain_round(standing, decide)
