"""Every joule of a run, by term, for the low, nominal and high value of the constants."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pimsim.config.device import Device
from pimsim.energy.terms import TERMS, Scenario
from pimsim.engine.outcome import EngineOutcome
from pimsim.units import pj_to_j

SCENARIOS = ("low", "nominal", "high")


@dataclass(frozen=True)
class EnergyLedger:
    """``terms_j[scenario][term]`` in joules; the totals are their sums."""

    terms_j: dict[str, dict[str, float]]

    def total_j(self, scenario: str) -> float:
        """Energy of the whole device in one scenario."""
        return math.fsum(self.terms_j[scenario].values())

    @property
    def totals_j(self) -> dict[str, float]:
        """low, nominal and high."""
        return {scenario: self.total_j(scenario) for scenario in SCENARIOS}


def energy_ledger(device: Device, outcome: EngineOutcome) -> EnergyLedger:
    """Energy of a run. Raises ConfigError if a constant is missing or would make a command give energy back."""
    return EnergyLedger(
        {which: {term.__name__: pj_to_j(term(Scenario(device, which, outcome))) for term in TERMS} for which in SCENARIOS}
    )
