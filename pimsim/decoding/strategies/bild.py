"""BiLD: a small model decodes until it is unsure; the large one then checks, takes over, and rolls back what it disagrees with."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from pimsim.decoding.common import draft_token, roll_back
from pimsim.decoding.decisions import Decisions, confidence
from pimsim.decoding.feed import TARGET, Feed, Keep, Round, Rounds, Standing, Token
from pimsim.decoding.residents import Draft, Resident
from pimsim.decoding.strategy import ChainStrategy, Probability
from pimsim.decoding.tree import chain


class Bild(ChainStrategy):
    """Falls back below a share of ``fallback``, or after ``drafts`` tokens; rolls back where the large model gives less than
    exp(-``rollback``) to a token. ``unsure``: how often a token makes it fall back, where there are no numbers.
    """

    name: ClassVar[str] = "bild"
    lossless: ClassVar[bool] = False

    draft: str = Field(description="shipped workload, file or hub folder of the small model")
    fallback: Probability = 0.5
    rollback: float = Field(2.0, ge=0, description="disagreement [nats]")
    unsure: Probability = 0.2

    def residents(self) -> tuple[Resident, ...]:
        return (Draft(self.draft),)

    def tree(self) -> None:
        """How much is drafted differs from round to round."""

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        drafts: list[Token] = []
        while len(drafts) < self.drafts:
            answer = yield from draft_token(standing, 1, drafts, decide)
            share = answer[0]
            if decide.happens(self.unsure, lambda share=share: confidence(share) < self.fallback):  # type: ignore[misc]
                break
            drafts.append(decide.token(answer[0]))
        known, before = standing.unfed(TARGET), len(standing.tokens)
        rows = (*known, *drafts)
        answer = yield Feed("verify", TARGET, rows, logits=tuple(range(len(known) - 1, len(rows))))
        kept = self._kept(drafts, answer, decide)
        yield Keep(TARGET, tuple(range(len(known) + kept)))
        yield from roll_back(standing, 1, before + kept)
        return Round((*drafts[:kept], decide.token(answer[kept])), len(drafts), kept)

    def _kept(self, drafts: list[Token], answer: object, decide: Decisions) -> int:
        if drafts and drafts[0] is None:
            return len(decide.path(chain(len(drafts)), drafts, ()))
        for index, token in enumerate(drafts):
            logits = np.asarray(answer[index])  # type: ignore[index]
            if logits.max() + np.log(np.exp(logits - logits.max()).sum()) - logits[token] > self.rollback:
                return index
        return len(drafts)
