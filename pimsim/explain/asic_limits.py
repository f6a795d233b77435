"""What an ASIC instruction's cycles go to: the arithmetic of ``asic.work`` taken apart."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.asic.work import Stage
from pimsim.config.hardware import AsicSpec

ADDERS, MULTIPLIERS, DEPTH, OVERHEAD = "adders", "multipliers", "pipeline depth", "instruction overhead"


def asic_limits(stages: Sequence[Stage], asic: AsicSpec, without: str = "") -> dict[str, int]:
    """Cycles by limit; of additions and multiplications side by side the slower counts. ``without`` costs nothing."""
    found = {ADDERS: 0, MULTIPLIERS: 0, DEPTH: 0, OVERHEAD: asic.instruction_overhead_cycles}
    for stage in stages:
        adds = 0 if without == ADDERS else -(-stage.adds // asic.adders)
        muls = 0 if without == MULTIPLIERS else -(-stage.muls // asic.multipliers)
        found[ADDERS if adds >= muls else MULTIPLIERS] += max(adds, muls)
        found[DEPTH] += stage.add_depth * asic.adder_stages + stage.mul_depth * asic.multiplier_stages
    return {name: cycles for name, cycles in found.items() if name != without}


def named(limit: str, asic: AsicSpec) -> str:
    """The limit with its size."""
    return {ADDERS: f"{asic.adders} adders", MULTIPLIERS: f"{asic.multipliers} multipliers"}.get(limit, f"ASIC {limit}")
