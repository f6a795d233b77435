"""No impossible figure is handed out: each kind of impossibility is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pimsim.errors import ResultError
from pimsim.result.check import check_figures, checked
from pimsim.result.run_result import RunResult
from pimsim.simulation import simulate
from tests.sweep_cases import TINY

Change = Callable[[RunResult], dict[str, Any]]


@pytest.fixture(scope="module")
def result() -> RunResult:
    return simulate("pim_gpt", TINY, 2)


IMPOSSIBLE: dict[str, Change] = {
    "row_hit_rate is negative": lambda r: {"row_hit_rate": -4.45},
    "row_hit_rate is above 1": lambda r: {"row_hit_rate": 1.0001},
    "mac_utilisation is above 1": lambda r: {"mac_utilisation": 1.5},
    "latency_s is nan": lambda r: {"latency_s": float("nan")},
    "energy_j.high is inf": lambda r: {"energy_j": {**r.energy_j, "high": float("inf")}},
    "energy_breakdown_j.asic_dynamic is negative": lambda r: {
        "energy_breakdown_j": {**r.energy_breakdown_j, "asic_dynamic": -1.0}
    },
    "macs.padding is negative": lambda r: {"macs": {**r.macs, "padding": -1}},
    "cycle_breakdown.3 sums to": lambda r: {"cycle_breakdown": {**r.cycle_breakdown, "3": {"mac": 1}}},
    "critical_path_s sums to": lambda r: {"critical_path_s": {"qkv": r.latency_s / 2}},
    "energy_breakdown_band_j.low sums to": lambda r: {"energy_j": {**r.energy_j, "low": r.energy_j["low"] * 1.001}},
    "is below streaming_floor_s": lambda r: {"streaming_floor_s": r.latency_s * 1.01},
    "is below asic_busy_s": lambda r: {"asic_busy_s": r.latency_s * 1.01},
    "average_power_w x latency_s": lambda r: {"average_power_w": r.average_power_w * 2},
    "refresh_command_counts.REFab 1": lambda r: {"command_counts": {}, "refresh_command_counts": {"REFab": 1}},
}


@pytest.mark.parametrize("message", IMPOSSIBLE)
def test_each_impossibility_is_named(message: str, result: RunResult) -> None:
    assert checked(result) is result
    with pytest.raises(ResultError, match=f"pim_gpt, tiny: the result is impossible and is not given: .*{message}"):
        checked(replace(result, **IMPOSSIBLE[message](result)))


def test_every_figure_is_looked_at(result: RunResult) -> None:
    for name, value in result.to_dict().items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            with pytest.raises(ResultError, match=name):
                checked(replace(result, **{name: -1}))


def test_nested_figures() -> None:
    check_figures({"a": [1, {"b_rate": 1.0}], "text": "x", "flag": True}, "x")
    with pytest.raises(ResultError, match=r"x: .*a.1.b_rate is above 1: 2"):
        check_figures({"a": [1, {"b_rate": 2}]}, "x")


@pytest.mark.parametrize(
    "setting", ["dram.timing.nMACRD=850", "dram.timing.tCCD_ns=800", "dram.row_bytes=32", "asic.clock_ghz=0.01"]
)
def test_extremes_that_are_allowed(setting: str, tmp_path: Path) -> None:
    found = simulate("pim_gpt", TINY, 2, settings=[setting])
    assert 0 <= found.row_hit_rate <= 1
