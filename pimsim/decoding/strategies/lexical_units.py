"""Lexical units: the model itself gives several adjacent tokens when it is sure of them; they are fed together."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import plain_round
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import TARGET, Feed, Keep, Round, Rounds, Standing
from pimsim.decoding.strategy import Strategy


class LexicalUnits(Strategy):
    """Up to ``most`` tokens a step; each one more than the first comes with probability ``acceptance`` given the one before.

    Needs a model trained for it, so there are no numbers: with weights a unit is one token.
    """

    name: ClassVar[str] = "lexical_units"
    rolls_back: ClassVar[bool] = False
    default_acceptance: ClassVar[float | None] = 0.3

    most: int = Field(4, ge=1, le=64, description="tokens of the longest unit [tokens]")

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        if standing.tokens[-1] is not None:
            return (yield from plain_round(standing, decide))
        rows = standing.unfed(TARGET)
        yield Feed("plain", TARGET, rows, logits=(len(rows) - 1,))
        yield Keep(TARGET, tuple(range(len(rows))))
        chances = self.chances()
        unit = 1
        while unit < self.most and decide.happens(chances.probability(unit - 1), lambda: False):  # type: ignore[union-attr]
            unit += 1
        return Round((None,) * unit)
