"""Nested draft (sorted, S2D, MatFormer-like): the draft is a part of the target's own weights."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import draft_chain, verify_chain
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing
from pimsim.decoding.residents import FirstLayers, Resident
from pimsim.decoding.strategy import ChainStrategy


class Nested(ChainStrategy):
    """The first ``layers`` layers draft; verification runs all of them anew."""

    name: ClassVar[str] = "nested"

    layers: int = Field(ge=1, description="layers of the target that draft [layers]")

    def residents(self) -> tuple[Resident, ...]:
        return (FirstLayers(self.layers),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        drafts = yield from draft_chain(standing, 1, self.drafts, decide)
        return (yield from verify_chain(standing, drafts, decide, draft=1))
