"""Which table of commands and rules a hardware description runs on."""

from __future__ import annotations

from functools import cache

from pimsim.config.hardware import HardwareSpec
from pimsim.dram.standard import Standard
from pimsim.dram.standards import PIM_VARIANTS, STANDARDS
from pimsim.pim.commands import PARAMETERS, with_pim


def standard_of(spec: HardwareSpec) -> Standard:
    """The plain standard, or the standard with PIM commands if it has none of its own and the device computes."""
    base = STANDARDS[spec.dram.standard].with_rule_set(spec.dram.rules)
    if spec.pim is None:
        return base
    activation = spec.pim.all_bank_activation
    grouped = activation.grouped_by < spec.dram.organization.banks
    if base.name in PIM_VARIANTS:
        return PIM_VARIANTS[base.name](grouped, activation.obey_tFAW)
    return with_pim(base, grouped, activation.obey_tFAW)


@cache
def timing_umbrellas(standard: str = "") -> dict[str, str]:
    """Stem of each timing parameter that a broader name can set, with that name's stem; of all standards if it is unknown."""
    asked = [STANDARDS[standard]] if standard in STANDARDS else list(STANDARDS.values())
    parameters = [p for found in asked for p in found.parameters] + list(PARAMETERS)
    return {p.name[1:]: p.umbrella[1:] for p in parameters if p.umbrella}
