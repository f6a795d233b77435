"""What another design than the one that the constants describe costs: factors of energy and area, 1 for the described design.

Each function states its law. A description without a ``costs:`` group pays the constants whatever its design is.
"""

from __future__ import annotations

from pimsim.config.costs import CostSpec
from pimsim.config.hardware import AsicSpec, HardwareSpec
from pimsim.config.model import Band


def _of(band: Band, which: str) -> float:
    return float(getattr(band, which))


def asic_speed(asic: AsicSpec, costs: CostSpec) -> float:
    """Speed that the ASIC's gates need, over the described one's."""
    return costs.asic_speed(asic.clock_ghz, asic.adder_stages, asic.multiplier_stages)


def asic_voltage(spec: HardwareSpec, which: str) -> float:
    """Supply voltage of the ASIC over the described one's: it follows the speed of the gates, down to a floor."""
    if spec.costs is None or spec.asic is None:
        return 1.0
    faster = asic_speed(spec.asic, spec.costs) - 1
    return max(_of(spec.costs.voltage_floor, which), 1 + _of(spec.costs.voltage_per_speed, which) * faster)


def _registers(stages: int, described: float, share: float) -> float:
    """Size of a pipelined unit over one with the described number of stages: more stages are more registers."""
    return 1 + share * (stages - described)


def adder_size(spec: HardwareSpec, which: str) -> float:
    """Area of an adder over the described one's: its registers, and larger gates where they must be faster."""
    if spec.costs is None or spec.asic is None:
        return 1.0
    share = _of(spec.costs.register_share, which)
    return _registers(spec.asic.adder_stages, spec.costs.described.adder_stages, share) * _sizing(spec, which)


def multiplier_size(spec: HardwareSpec, which: str) -> float:
    """Area of a multiplier over the described one's, as of an adder."""
    if spec.costs is None or spec.asic is None:
        return 1.0
    share = _of(spec.costs.register_share, which)
    return _registers(spec.asic.multiplier_stages, spec.costs.described.multiplier_stages, share) * _sizing(spec, which)


def _sizing(spec: HardwareSpec, which: str) -> float:
    assert spec.costs is not None and spec.asic is not None
    return max(1.0, asic_speed(spec.asic, spec.costs)) ** _of(spec.costs.area_per_speed, which)


def control_size(spec: HardwareSpec) -> float:
    """Area of fetch, decode and control over the described one's: inversely to the cycles that an instruction takes there."""
    if spec.costs is None or spec.asic is None:
        return 1.0
    return (1 + spec.costs.described.instruction_overhead_cycles) / (1 + spec.asic.instruction_overhead_cycles)


def asic_size(spec: HardwareSpec, which: str) -> float:
    """What the ASIC switches and leaks, over the described one's: arithmetic, memory and control by their shares of its power."""
    costs, asic = spec.costs, spec.asic
    if costs is None or asic is None:
        return 1.0
    design = costs.described
    adders, multipliers = 1.0, 1.0
    if spec.area is not None:
        adders, multipliers = _of(spec.area.asic_adder_mm2, which), _of(spec.area.asic_multiplier_mm2, which)
    own = asic.adders * adders * adder_size(spec, which) + asic.multipliers * multipliers * multiplier_size(spec, which)
    arithmetic = own / (design.adders * adders + design.multipliers * multipliers)
    in_arithmetic, in_sram = _of(costs.arithmetic_power_share, which), _of(costs.sram_power_share, which)
    control = (1 - in_arithmetic - in_sram) * (control_size(spec) - 1)
    return 1 + in_arithmetic * (arithmetic - 1) + in_sram * (asic.sram_kib / design.sram_kib - 1) + control


def asic_dynamic_factor(spec: HardwareSpec, which: str) -> float:
    """Energy of a busy ASIC cycle over the described one's: what switches, times the square of the voltage."""
    return asic_size(spec, which) * asic_voltage(spec, which) ** 2


def asic_static_factor(spec: HardwareSpec, which: str) -> float:
    """Leakage of the ASIC over the described one's: what leaks, times the voltage."""
    return asic_size(spec, which) * asic_voltage(spec, which)


def io_factor(spec: HardwareSpec, which: str) -> float:
    """Energy of a bit over the pins over the described one's: a power of the data rate."""
    if spec.costs is None or spec.link is None:
        return 1.0
    rate = spec.link.gbit_per_s_per_pin / spec.costs.described.gbit_per_s_per_pin
    return rate ** _of(spec.costs.io_energy_exponent, which)


def periphery_factor(spec: HardwareSpec, which: str) -> float:
    """Area of a channel's periphery over the described one's: its pins, and their data rate."""
    if spec.costs is None or spec.link is None:
        return 1.0
    design = spec.costs.described
    rate = spec.link.gbit_per_s_per_pin / design.gbit_per_s_per_pin
    pins = spec.link.pins_per_channel / design.pins_per_channel * rate ** _of(spec.costs.phy_area_exponent, which)
    return 1 + _of(spec.costs.phy_share, which) * (pins - 1)


def array_factor(spec: HardwareSpec, which: str) -> float:
    """Area of a bit of DRAM over the described one's: wider columns need more sense amplifiers and wires, smaller banks more decoders."""
    if spec.costs is None:
        return 1.0
    design, shape = spec.costs.described, spec.dram.organization
    wider = _of(spec.costs.column_area_share, which) * (shape.column_bytes / design.column_bytes - 1)
    smaller = _of(spec.costs.bank_area_share, which) * (design.bank_bytes / shape.bank_bytes - 1)
    return 1 + wider + smaller


def buffer_factor(spec: HardwareSpec, which: str) -> float:
    """Energy of a byte of the global buffer over the described one's: a power of its size."""
    if spec.costs is None or spec.pim is None:
        return 1.0
    size = spec.pim.global_buffer_bytes / spec.costs.described.global_buffer_bytes
    return size ** _of(spec.costs.buffer_energy_exponent, which)
