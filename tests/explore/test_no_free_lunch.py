"""Whatever a sweep moves costs something or is declared free; the described design pays its constants, another one by stated laws."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from pimsim.config.load import load_hardware
from pimsim.errors import PimsimError
from pimsim.explore.free import FREE, free_lines, free_reason
from pimsim.explore.objectives import static_figures
from pimsim.simulation import simulate

SMALL = ("workload.model.layers=1", "workload.model.vocabulary=2048", "workload.model.max_context=64")
BASES = ("pim_gpt", "gddr6_aim")
# Figures that may pay for a shorter latency. Average power is not among them: the same work in less time always takes more.
COSTS = ("area_mm2", "cost_usd", "energy_j", "peak_power_w", "approximation_error")
# Values that a design cannot move alone.
TOGETHER = {
    "dram.column_bytes": ("dram.column_bytes", "pim.mac_lanes"),
    "pim.mac_lanes": ("dram.column_bytes", "pim.mac_lanes"),
    "dram.bank_groups": ("dram.bank_groups", "pim.all_bank_activation.grouped_by"),
    "dram.banks_per_group": ("dram.banks_per_group", "pim.all_bank_activation.grouped_by"),
}
CONSTANTS = ("energy.", "area.", "costs.", "dram.currents.")


def numbers(values: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Every number of a description by dotted path, but the constants of energy and area, on which no time depends."""
    found: dict[str, float] = {}
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            found |= numbers(value, f"{path}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and not path.startswith(CONSTANTS):
            found[path] = value
    return found


@cache
def keys_of(base: str) -> dict[str, float]:
    return numbers(load_hardware(base).spec.model_dump())


@cache
def figures(base: str, *settings: str) -> dict[str, float]:
    """Latency and costs of one small request."""
    result = simulate(base, "gpt2_small", 2, settings=(*SMALL, *settings))
    static = static_figures(load_hardware(base, settings).spec)
    return {"latency_s": result.latency_s, "energy_j": result.energy_j["nominal"], **static}


def moved(base: str, path: str, factor: float) -> tuple[str, ...] | None:
    """Settings that move the value at ``path``, and what goes with it; None if there is no such value."""
    settings = []
    for one in TOGETHER.get(path, (path,)):
        value = keys_of(base)[one]
        new = type(value)(value * factor)
        if new == value:
            new = value + (1 if factor > 1 else -1)
        settings.append(f"{one}={new}")
    return tuple(settings)


def improves_for_nothing(base: str, settings: tuple[str, ...]) -> bool:
    """Whether ``settings`` make the run faster and no cost higher. A design that cannot be is no lunch."""
    usual = figures(base)
    try:
        static = static_figures(load_hardware(base, settings).spec)
        if any(static[cost] > usual[cost] * (1 + 1e-9) for cost in COSTS if cost in static):
            return False
        found = figures(base, *settings)
    except PimsimError:
        return False
    faster = found["latency_s"] < usual["latency_s"] * (1 - 1e-9)
    return faster and not any(found[cost] > usual[cost] * (1 + 1e-9) for cost in COSTS)


@pytest.mark.parametrize("base", BASES)
def test_every_number_costs_something_or_is_declared_free(base: str) -> None:
    lunches = [
        (path, factor)
        for path in keys_of(base)
        for factor in (2, 0.5)
        if free_reason(path) is None and improves_for_nothing(base, moved(base, path, factor))
    ]
    assert lunches == []


def test_the_check_would_notice_a_free_lunch() -> None:
    """Activation of a row in no time is faster and costs nothing: a lunch, and therefore declared free."""
    assert improves_for_nothing("pim_gpt", ("dram.timing.tRCD_ns=6",))
    assert free_reason("dram.timing.tRCD_ns") is not None
    assert free_lines(["dram.timing.tRCD_ns", "asic.clock_ghz"]) == [
        f"dram.timing.tRCD_ns costs nothing here: {free_reason('dram.timing.tRCD_ns')}"
    ]
    assert "dram.timing.*" in FREE


@pytest.mark.parametrize(
    "settings, cost",
    [
        (("asic.clock_ghz=2",), "energy_j"),
        (("asic.adder_stages=1",), "area_mm2"),
        (("asic.multiplier_stages=1",), "area_mm2"),
        (("asic.adders=512",), "area_mm2"),
        (("asic.instruction_overhead_cycles=1",), "area_mm2"),
        (("asic.sram_kib=256",), "energy_j"),
        (("link.gbit_per_s_per_pin=32",), "area_mm2"),
        (("link.pins_per_channel=32",), "area_mm2"),
        (("dram.column_bytes=64", "pim.mac_lanes=32"), "area_mm2"),
        (("pim.global_buffer_bytes=4096",), "area_mm2"),
        (("asic.exp_taylor_terms=3",), "approximation_error"),
        (("asic.rsqrt_newton_steps=1",), "approximation_error"),
        (("dram.rows=8192", "dram.bank_groups=8", "pim.all_bank_activation.grouped_by=32"), "area_mm2"),
    ],
    ids=str,
)
def test_what_pays(settings: tuple[str, ...], cost: str) -> None:
    assert figures("pim_gpt", *settings)[cost] > figures("pim_gpt")[cost]


def test_opening_banks_in_groups_lowers_the_peak() -> None:
    grouped = ("pim.all_bank_activation.grouped_by=4", "pim.all_bank_activation.obey_tFAW=true")
    fast_mac, slow = ("dram.timing.nCCDMAC=4", "energy.mac_pj=0.1"), ("dram.timing.nCCDMAC=4", "energy.mac_pj=0.1", *grouped)
    assert (
        static_figures(load_hardware("pim_gpt", slow).spec)["peak_power_w"]
        < static_figures(load_hardware("pim_gpt", fast_mac).spec)["peak_power_w"]
    )


def test_gates_beyond_the_range_cost_more_and_are_named() -> None:
    assert load_hardware("pim_gpt", ["asic.clock_ghz=2.5"]).spec.beyond_costs == ""
    said = load_hardware("pim_gpt", ["asic.clock_ghz=1.5", "asic.adder_stages=1"]).spec.beyond_costs
    assert "needs gates 3 times as fast as the described design's" in said
    within, beyond = (static_figures(load_hardware("pim_gpt", [f"asic.clock_ghz={clock}"]).spec) for clock in (2.5, 5))
    assert within["peak_power_w"] < beyond["peak_power_w"]
