"""Schema of the ``costs:`` group of a hardware file: what changing a design costs, to first order.

The constants of ``energy:`` and ``area:`` describe one design; ``described`` says which. A device that differs pays by the laws below, one
that does not pays exactly what the constants say.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pimsim.config.model import NonNegativeBand, Source, SpecModel, unit

Positive = Annotated[float, Field(gt=0)]


class DescribedSpec(SpecModel):
    """The design that the constants of energy and area describe."""

    asic_clock_ghz: Positive = unit("GHz", "clock at which the ASIC's power and area hold")
    adders: Positive = unit("adders", "adders of that ASIC")
    multipliers: Positive = unit("multipliers", "multipliers of that ASIC")
    adder_stages: Positive = unit("cycles", "pipeline depth of its adders")
    multiplier_stages: Positive = unit("cycles", "pipeline depth of its multipliers")
    instruction_overhead_cycles: float = unit("cycles", "fetch and decode of its instructions", ge=0)
    sram_kib: Positive = unit("KiB", "its memory")
    pins_per_channel: Positive = unit("pins", "data pins of a channel")
    gbit_per_s_per_pin: Positive = unit("Gb/s", "data rate of a pin")
    column_bytes: Positive = unit("B", "bytes of one column access")
    bank_bytes: Positive = unit("B", "capacity of a bank")
    global_buffer_bytes: Positive = unit("B", "vector buffer of a channel")
    source: Source


class CostSpec(SpecModel):
    """First-order costs of another design than the described one."""

    described: DescribedSpec
    arithmetic_power_share: NonNegativeBand = unit("1", "part of the ASIC's power that adders and multipliers take")
    sram_power_share: NonNegativeBand = unit("1", "part of the ASIC's power that its memory takes")
    voltage_per_speed: NonNegativeBand = unit("1", "relative rise of the ASIC's voltage for a relative rise of its gates' speed")
    voltage_floor: NonNegativeBand = unit("1", "lowest voltage of the ASIC, relative to the described one")
    max_speed: Positive = unit(
        "1", "highest speed of the ASIC's gates, relative to the described one, that these laws are taken for"
    )
    area_per_speed: NonNegativeBand = unit("1", "exponent of the area of adders and multipliers over the speed of their gates")
    register_share: NonNegativeBand = unit("1", "part of an adder or multiplier that its pipeline registers are, for each stage")
    io_energy_exponent: NonNegativeBand = unit("1", "exponent of the energy of a bit over the data rate of its pin")
    phy_share: NonNegativeBand = unit("1", "part of a channel's periphery that serves its pins")
    phy_area_exponent: NonNegativeBand = unit("1", "exponent of a pin's area over its data rate")
    column_area_share: NonNegativeBand = unit(
        "1", "part of the DRAM's area that grows with the width of a column: sense amplifiers, wires"
    )
    bank_area_share: NonNegativeBand = unit(
        "1", "part of the DRAM's area that grows with its number of banks a bit: decoders, control"
    )
    buffer_energy_exponent: NonNegativeBand = unit("1", "exponent of the energy of a buffer's byte over its size")
    source: Source

    def asic_speed(self, clock_ghz: float, adder_stages: int, multiplier_stages: int) -> float:
        """Speed that the ASIC's gates need, over the described one's: its clock, and more where a stage holds more of an operation."""
        per_stage = max(self.described.adder_stages / adder_stages, self.described.multiplier_stages / multiplier_stages)
        return clock_ghz / self.described.asic_clock_ghz * per_stage
