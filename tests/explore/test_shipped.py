"""The shipped sweeps: each valid, each point possible or refused for its memory alone, and the bench that times one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pimsim.config.schemas import kind_of
from pimsim.config.shipped import shipped_names
from pimsim.config.sweep import FOLDER
from pimsim.explore.bench import GRID, bench_sweep
from pimsim.explore.plan import plan_sweep
from pimsim.explore.start import starting_params
from tests.sweep_cases import BASE

PAPER = {"channels", "mac_lanes", "pin_rate", "asic_clock", "token_length"}
MODELS = {f"gpt{n}_{size}" for n, sizes in ((2, "small medium large xl"), (3, "small medium large xl")) for size in sizes.split()}


def test_the_papers_studies_are_there() -> None:
    assert set(shipped_names(FOLDER)) == PAPER | {GRID, "gpt3_xl_search"}


@pytest.mark.parametrize("name", sorted(PAPER | {GRID}))
def test_every_point_is_a_valid_description(name: str) -> None:
    plan = plan_sweep(name)
    points = plan.points()
    assert plan.spec.name == name
    assert [point.refused for point in points if point.refused] == []
    assert {point.settings["workload"] for point in points} == MODELS


def test_the_grid_has_a_thousand_points_and_the_studies_contain_the_default() -> None:
    assert len(plan_sweep(GRID).points()) == 1000
    default = plan_sweep("channels").points()
    keys = {point.key for point in default if point.settings["dram.channels"] == 8}
    assert len(keys) == 8
    for name in ("mac_lanes", "pin_rate", "asic_clock"):
        assert keys <= {point.key for point in plan_sweep(name).points()}


def test_the_search_begins_with_the_default() -> None:
    plan = plan_sweep("gpt3_xl_search")
    assert plan.spec.strategy is not None
    spec = plan.spec.strategy.optuna
    assert spec.trials == 200 and len(starting_params(spec, plan.axes, "")) == 1
    point = plan.point(spec.start[0])
    listed = plan.resolver.resolve({})
    assert point is not None and listed is not None and point.hardware is not None and listed.hardware is not None
    assert point.hardware.model_dump() == listed.hardware.model_dump()


@pytest.mark.parametrize("name", ["channels", "gpt3_xl_search"])
def test_check_and_schema_know_sweeps(name: str, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert kind_of(name) == "sweep"
    assert pimsim("check", name) == 0
    assert "valid sweep" in capsys.readouterr().out
    assert pimsim("schema", "sweep") == 0
    assert set(json.loads(capsys.readouterr().out)["properties"]) > {"axes", "where", "strategy", "base"}


def test_bench(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump({**BASE, "axes": {"asic.clock_ghz": {"lin": [0.5, 1.0, 6]}}}))
    figures = bench_sweep(1, path)
    assert (figures["points"], figures["workers"], figures["repeated_simulated"]) == (6, 1, 0)
    assert 0 < figures["engine_s"] < figures["wall_s"]
    assert 0 < figures["worker_overhead_ms_per_point"] < figures["overhead_ms_per_point"]
