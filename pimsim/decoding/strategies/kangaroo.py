"""Kangaroo: the target's first layers draft until they are unsure; only the others check."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import draft_token, verify_chain
from pimsim.decoding.decisions import Decisions, confidence
from pimsim.decoding.feed import Rounds, Standing, Token
from pimsim.decoding.residents import FirstLayers, Resident
from pimsim.decoding.strategy import ChainStrategy, Probability


class Kangaroo(ChainStrategy):
    """Drafting ends after ``drafts`` tokens, or once the likeliest has a share below ``confidence``.

    ``sure``: how often it goes on, where there are no numbers. The adapter between the early layers and the head is the identity.
    """

    name: ClassVar[str] = "kangaroo"

    layers: int = Field(ge=1, description="layers of the target that draft [layers]")
    confidence: Probability = 0.6
    sure: Probability = 0.8

    def residents(self) -> tuple[Resident, ...]:
        return (FirstLayers(self.layers),)

    def tree(self) -> None:
        """How much is drafted differs from round to round."""

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        drafts: list[Token] = []
        while len(drafts) < self.drafts:
            answer = yield from draft_token(standing, 1, drafts, decide)
            drafts.append(decide.token(answer[0]))
            share = answer[0]
            if not decide.happens(self.sure, lambda share=share: confidence(share) >= self.confidence):  # type: ignore[misc]
                break
        return (yield from verify_chain(standing, drafts, decide, draft=1, layers=(self.layers, None)))
