"""Silicon area and its cost, one function per part, for the low, nominal and high value of the constants.

MAC units and global buffers in the DRAM process, the DRAM dies that hold them, and the ASIC; each for the design at hand, where the
hardware file has a ``costs:`` group (``pimsim.energy.scaling`` holds the laws).
"""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.area import AreaSpec
from pimsim.config.hardware import AsicSpec, HardwareSpec, PimSpec
from pimsim.config.model import Band
from pimsim.energy.scaling import adder_size, array_factor, control_size, multiplier_size, periphery_factor
from pimsim.errors import ConfigError
from pimsim.units import BITS_PER_BYTE, BYTES_PER_KIB

BITS_PER_GBIT = 1 << 30


@dataclass(frozen=True)
class Silicon:
    """A device's parts, and which of low, nominal or high each constant takes."""

    spec: HardwareSpec
    area: AreaSpec
    pim: PimSpec
    asic: AsicSpec
    which: str

    def value(self, band: Band) -> float:
        """The constant in this scenario."""
        return float(getattr(band, self.which))


def silicon(spec: HardwareSpec, which: str = "nominal") -> Silicon:
    """Parts of ``spec``. Raises ConfigError if one of them is not described."""
    if spec.area is None or spec.pim is None or spec.asic is None:
        missing = next(name for name in ("area", "pim", "asic") if getattr(spec, name) is None)
        raise ConfigError(f"{spec.name}: group '{missing}' is missing: its area cannot be computed")
    return Silicon(spec, spec.area, spec.pim, spec.asic, which)


def dram_array(s: Silicon) -> float:
    """Cells and banks of plain DRAM, by capacity, width of a column and size of a bank."""
    gbit = s.spec.dram.organization.capacity_bytes * BITS_PER_BYTE / BITS_PER_GBIT
    return gbit * s.value(s.area.dram_mm2_per_gbit) * array_factor(s.spec, s.which)


def channel_periphery(s: Silicon) -> float:
    """Pins and control of every channel."""
    return s.spec.dram.channels * s.value(s.area.channel_mm2) * periphery_factor(s.spec, s.which)


def mac_units(s: Silicon) -> float:
    """A MAC unit in every bank: lanes and accumulators, in the DRAM process."""
    shape = s.spec.dram.organization
    unit = s.pim.vectors_per_column * (
        s.pim.mac_lanes * s.value(s.area.mac_lane_mm2) + s.pim.accumulators_per_bank * s.value(s.area.accumulator_mm2)
    )
    return shape.channels * shape.banks * unit * s.value(s.area.dram_process_factor)


def global_buffers(s: Silicon) -> float:
    """A vector buffer in every channel, in the DRAM process."""
    kib = s.spec.dram.channels * s.pim.vectors_per_column * s.pim.global_buffer_bytes / BYTES_PER_KIB
    return kib * s.value(s.area.sram_mm2_per_kib) * s.value(s.area.dram_process_factor)


def asic(s: Silicon) -> float:
    """Adders, multipliers, memory and control of the ASIC."""
    adder = s.value(s.area.asic_adder_mm2) * adder_size(s.spec, s.which)
    multiplier = s.value(s.area.asic_multiplier_mm2) * multiplier_size(s.spec, s.which)
    arithmetic = s.asic.adders * adder + s.asic.multipliers * multiplier
    control = s.value(s.area.asic_other_mm2) * control_size(s.spec)
    return arithmetic + s.asic.sram_kib * s.value(s.area.sram_mm2_per_kib) + control


PARTS = (dram_array, channel_periphery, mac_units, global_buffers, asic)


def area_breakdown_mm2(spec: HardwareSpec, which: str = "nominal") -> dict[str, float]:
    """Area of each part in mm2."""
    parts = silicon(spec, which)
    return {part.__name__: part(parts) for part in PARTS}


def area_mm2(spec: HardwareSpec, which: str = "nominal") -> float:
    """Area of the whole device in mm2."""
    return sum(area_breakdown_mm2(spec, which).values())


def cost_usd(spec: HardwareSpec, which: str = "nominal") -> float:
    """Price of the silicon alone: no packaging, test, board or margin."""
    parts = silicon(spec, which)
    logic = asic(parts)
    in_dram = sum(part(parts) for part in PARTS) - logic
    return in_dram * parts.value(parts.area.dram_usd_per_mm2) + logic * parts.value(parts.area.logic_usd_per_mm2)
