"""How long ASIC work and link transfers take: the only instructions whose time does not depend on the DRAM."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.asic.work import Stage, cycles
from pimsim.config.device import Device
from pimsim.units import BITS_PER_BYTE, PS_PER_NS, ceil_exact


def asic_ps(device: Device, stages: Sequence[Stage]) -> int:
    """Picoseconds of ASIC work."""
    return cycles(list(stages), device.asic) * device.asic_period_ps


def link_ps(device: Device, link_bytes: int) -> int:
    """Picoseconds, in whole ASIC cycles, that bytes take over the pins of all channels together."""
    gbit_per_s = device.link.gbit_per_s * device.organization.channels
    time_ps = ceil_exact(link_bytes * BITS_PER_BYTE * PS_PER_NS / gbit_per_s)
    return -(-time_ps // device.asic_period_ps) * device.asic_period_ps
