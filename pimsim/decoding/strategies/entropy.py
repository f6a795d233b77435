"""Entropy-adaptive decoding: each token by the small or the large model; the one that was off catches up."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.decisions import Decisions, entropy
from pimsim.decoding.feed import TARGET, Feed, Keep, Round, Rounds, Standing
from pimsim.decoding.residents import Draft, Resident
from pimsim.decoding.strategy import Probability, Strategy


class Entropy(Strategy):
    """The large model where the last logits' entropy is above ``threshold``. ``large``: its share, where there are no numbers."""

    name: ClassVar[str] = "entropy"
    lossless: ClassVar[bool] = False
    rolls_back: ClassVar[bool] = False
    default_acceptance: ClassVar[float | None] = 1.0

    draft: str = Field(description="shipped workload, file or hub folder of the small model")
    threshold: float = Field(1.0, ge=0, description="entropy of the shares of the next token [nats]")
    large: Probability = 0.43

    def residents(self) -> tuple[Resident, ...]:
        return (Draft(self.draft),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        model = TARGET if standing.memory.get("large", True) else 1
        phase = "plain" if model == TARGET else "draft"
        behind = standing.unfed(model)
        if len(behind) > 1:
            yield Feed("catch_up", model, behind[:-1])
            yield Keep(model, tuple(range(len(behind) - 1)))
        answer = yield Feed(phase, model, behind[-1:], logits=(0,))
        yield Keep(model, (0,))
        standing.memory["large"] = decide.happens(self.large, lambda: entropy(answer[0]) > self.threshold)
        return Round((decide.token(answer[0]),))
