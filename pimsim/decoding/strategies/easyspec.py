"""EasySpec: the draft's layers run side by side, several at once over devices or groups of channels; the target checks a chain."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pimsim.decoding.common import draft_chain, verify_chain
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing
from pimsim.decoding.residents import Draft, Resident
from pimsim.decoding.strategy import ChainStrategy


class EasySpec(ChainStrategy):
    """``together`` layers of the draft see the same input; their changes to the residual stream are summed."""

    name: ClassVar[str] = "easyspec"

    draft: str = Field(description="shipped workload, file or hub folder of the small model")
    together: int = Field(2, ge=1, le=64, description="layers that run at once [layers]")

    def residents(self) -> tuple[Resident, ...]:
        return (Draft(self.draft, self.together),)

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        drafts = yield from draft_chain(standing, 1, self.drafts, decide)
        return (yield from verify_chain(standing, drafts, decide, draft=1))
