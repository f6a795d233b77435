"""Speculative decoding: a small model drafts a chain, the target checks it at once."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import draft_chain, verify_chain
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing
from pimsim.decoding.residents import Draft, Resident
from pimsim.decoding.strategy import ChainStrategy


class Speculative(ChainStrategy):
    """``draft``: the small model, of the target's vocabulary."""

    name: ClassVar[str] = "speculative"

    draft: str = Field(description="shipped workload, file or hub folder of the small model")

    def residents(self) -> tuple[Resident, ...]:
        return (Draft(self.draft),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        drafts = yield from draft_chain(standing, 1, self.drafts, decide)
        return (yield from verify_chain(standing, drafts, decide, draft=1))
