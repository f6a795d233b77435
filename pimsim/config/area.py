"""Schema of the ``area:`` group of a hardware file: what silicon its units take, and what silicon costs."""

from __future__ import annotations

from pimsim.config.model import NonNegativeBand, Source, SpecModel, unit


class AreaSpec(SpecModel):
    """Silicon of the parts a design study changes. Logic in a DRAM process is ``dram_process_factor`` larger."""

    mac_lane_mm2: NonNegativeBand = unit("mm2", "one BF16 multiplier and its adder of a MAC unit, in a logic process")
    accumulator_mm2: NonNegativeBand = unit("mm2", "one FP32 accumulator of a MAC unit, in a logic process")
    sram_mm2_per_kib: NonNegativeBand = unit("mm2/KiB", "on-chip memory, in a logic process")
    dram_process_factor: NonNegativeBand = unit("1", "area of logic or memory in the DRAM process over a logic process")
    dram_mm2_per_gbit: NonNegativeBand = unit("mm2/Gbit", "cells of plain DRAM and the periphery of their banks")
    channel_mm2: NonNegativeBand = unit("mm2", "what a channel adds whatever its capacity: pins, receivers, control")
    asic_adder_mm2: NonNegativeBand = unit("mm2", "one adder of the ASIC")
    asic_multiplier_mm2: NonNegativeBand = unit("mm2", "one multiplier of the ASIC")
    asic_other_mm2: NonNegativeBand = unit("mm2", "control, registers and wiring of the ASIC")
    dram_usd_per_mm2: NonNegativeBand = unit("USD/mm2", "processed DRAM silicon")
    logic_usd_per_mm2: NonNegativeBand = unit("USD/mm2", "processed logic silicon")
    source: Source
