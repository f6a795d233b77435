"""Early exit: a token leaves at the first of some layers where it is sure; K and V of the layers left out are still made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from pimsim.decoding.decisions import Decisions, confidence
from pimsim.decoding.feed import TARGET, Feed, Keep, Round, Rounds, Standing
from pimsim.decoding.strategy import Probability, Strategy
from pimsim.errors import RequestError


class EarlyExit(Strategy):
    """A token may leave after each of ``exits`` layers, if its likeliest next token has a share of ``confidence``.

    ``leaves``: how often it does at each, where there are no numbers.
    """

    name: ClassVar[str] = "early_exit"
    lossless: ClassVar[bool] = False
    in_parts: ClassVar[bool] = True
    rolls_back: ClassVar[bool] = False
    default_acceptance: ClassVar[float | None] = 1.0

    exits: list[int] = Field(description="layers after which a token may leave, ascending [layers]")
    confidence: Probability = 0.9
    leaves: Probability = 0.3

    @field_validator("exits")
    @classmethod
    def _ascending(cls, value: list[int]) -> list[int]:
        if not value or value[0] < 1 or value != sorted(set(value)):
            raise ValueError(f"{value} must be layers from 1 on, ascending")
        return value

    def check_target(self, layers: int) -> None:
        if self.exits[-1] >= layers:
            raise RequestError(f"exits: {self.exits[-1]} is not before the last of {layers} layers")

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        rows = standing.unfed(TARGET)
        if len(rows) > 1:
            yield Feed("catch_up", TARGET, rows[:-1])
            yield Keep(TARGET, tuple(range(len(rows) - 1)))
        begin = 0
        for leave in (*self.exits, None):
            answer = yield Feed("plain", TARGET, rows[-1:], logits=(0,), layers=(begin, leave))
            logits = answer[0]
            if leave is None:
                break
            if decide.happens(self.leaves, lambda logits=logits: confidence(logits) >= self.confidence):  # type: ignore[misc]
                yield Feed("fill", TARGET, rows[-1:], layers=(leave, None))
                break
            begin = leave
        yield Keep(TARGET, (0,))
        return Round((decide.token(logits),))
