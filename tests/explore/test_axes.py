"""Which points a sweep file stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pimsim.errors import ConfigError
from pimsim.explore.axes import Axis
from pimsim.explore.plan import plan_sweep
from tests.sweep_cases import SweepFile


def settings(path: Path) -> list[dict[str, Any]]:
    return [point.settings for point in plan_sweep(path).points()]


def column(path: Path, name: str) -> list[Any]:
    return [one[name] for one in settings(path)]


def test_grid_varies_the_last_axis_fastest(sweep_file: SweepFile) -> None:
    expected = [(1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)]
    assert [tuple(one.values()) for one in settings(sweep_file())] == expected


def test_zip_pairs_and_wants_equal_lengths(sweep_file: SweepFile) -> None:
    assert [tuple(one.values()) for one in settings(sweep_file(combine="zip"))] == [(1, 0.5), (2, 1.0)]
    with pytest.raises(ConfigError, match=r"equal length, not dram.channels: 3, asic.clock_ghz: 2"):
        settings(sweep_file(combine="zip", axes={"dram.channels": [1, 2, 4], "asic.clock_ghz": [0.5, 1.0]}))


def test_ranges(sweep_file: SweepFile) -> None:
    assert column(sweep_file(axes={"asic.clock_ghz": {"geom": [0.01, 1, 3]}}), "asic.clock_ghz") == pytest.approx([0.01, 0.1, 1])
    assert column(sweep_file(axes={"asic.clock_ghz": {"lin": [1, 2, 5]}}), "asic.clock_ghz") == [1, 1.25, 1.5, 1.75, 2]


def test_whole_number_paths_get_rounded_values_once(sweep_file: SweepFile) -> None:
    assert column(sweep_file(axes={"tokens": {"geom": [1, 10, 5]}}), "tokens") == [1, 2, 3, 6, 10]
    assert column(sweep_file(axes={"dram.channels": {"lin": [1, 2, 9]}}), "dram.channels") == [1, 2]


def test_zip_pairs_rounded_values_too(sweep_file: SweepFile) -> None:
    axes = {"dram.channels": {"lin": [1, 2, 4]}, "asic.clock_ghz": [0.4, 0.6, 0.8, 1.0]}
    assert [tuple(one.values()) for one in settings(sweep_file(combine="zip", axes=axes))] == [
        (1, 0.4), (1, 0.6), (2, 0.8), (2, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["lin", "geom"])
def test_the_ends_of_a_whole_number_range_are_drawn_as_often(kind: str) -> None:
    axis = Axis(("dram.channels",), (), 1.0, 4.0, kind == "geom", True)
    drawn = [axis.at(part / 1000)["dram.channels"] for part in range(1000)]
    counts = [drawn.count(value) for value in (1, 2, 3, 4)]
    assert sum(counts) == 1000
    if kind == "lin":
        assert all(abs(count - 250) <= 1 for count in counts)
    else:
        assert counts == sorted(counts, reverse=True)


def test_paths_that_change_together(sweep_file: SweepFile) -> None:
    path = sweep_file(axes={"pim.mac_lanes, dram.column_bytes": [[8, 16], [32, 64]], "tokens": [1, 2]})
    found = [tuple(one.values()) for one in settings(path)]
    assert found == [(8, 16, 1), (8, 16, 2), (32, 64, 1), (32, 64, 2)]


def test_listed_points_keep_their_order(sweep_file: SweepFile) -> None:
    points = [{"dram.channels": 4}, {"tokens": 3, "mapping": "row_per_output"}]
    assert settings(sweep_file(axes=None, points=points)) == points


@pytest.mark.parametrize("combine", ["random", "sobol"])
def test_drawn_points_depend_on_the_seed_alone(sweep_file: SweepFile, combine: str) -> None:
    axes = {"asic.clock_ghz": {"geom": [0.1, 1.0]}, "dram.channels": {"lin": [1, 9]}, "mapping": ["pim_gpt", "row_per_output"]}
    first = settings(sweep_file(combine=combine, samples=16, seed=3, axes=axes))
    assert first == settings(sweep_file(combine=combine, samples=16, seed=3, axes=axes))
    assert first != settings(sweep_file(combine=combine, samples=16, seed=4, axes=axes))
    assert len(first) == 16
    assert all(0.1 <= one["asic.clock_ghz"] <= 1 and 1 <= one["dram.channels"] <= 9 for one in first)
    assert {type(one["dram.channels"]) for one in first} == {int}
    assert {one["mapping"] for one in first} == {"pim_gpt", "row_per_output"}


def test_sobol_fills_the_range_evenly(sweep_file: SweepFile) -> None:
    clocks = column(sweep_file(combine="sobol", samples=16, axes={"asic.clock_ghz": {"lin": [1, 2]}}), "asic.clock_ghz")
    assert sorted(int((clock - 1) * 16) for clock in clocks) == list(range(16))


def test_where_leaves_points_out(sweep_file: SweepFile) -> None:
    path = sweep_file(where=["dram.channels * asic.clock_ghz >= 1", "dram.rows == 16384"])
    assert [tuple(one.values()) for one in settings(path)] == [(1, 1.0), (2, 0.5), (2, 1.0)]


def test_derived_values_follow_the_axes(sweep_file: SweepFile) -> None:
    path = sweep_file(
        axes={"pim.mac_lanes": [8, 32], "tokens": [2, 100]},
        derive={"dram.column_bytes": "2 * pim.mac_lanes", "workload.model.max_context": "max(64, tokens)"},
    )
    points = plan_sweep(path).points()
    assert [point.hardware.dram.column_bytes for point in points if point.hardware] == [16, 16, 64, 64]
    assert [point.task.workload["model"]["max_context"] for point in points] == [64, 100, 64, 100]


def test_an_impossible_point_says_why(sweep_file: SweepFile) -> None:
    points = plan_sweep(sweep_file(axes={"pim.mac_lanes": [16, 8], "dram.rows": [16384, "many"]})).points()
    assert points[0].refused is None
    assert "dram.rows: 'many': must be a valid integer" in str(points[1].refused)
    assert "pim.mac_lanes 8 16-bit numbers need dram.column_bytes 16 B, not 32 B" in str(points[2].refused)


def test_static_limits_refuse_before_anything_runs(sweep_file: SweepFile) -> None:
    points = plan_sweep(sweep_file(limits={"capacity_gb": {"min": 1.0}})).points()
    reason = "capacity_gb 0.536871 GB is below the limit of 1 GB"
    assert [point.refused for point in points] == [reason, reason, None, None]


def test_equal_configurations_are_one_point(sweep_file: SweepFile) -> None:
    points = plan_sweep(sweep_file(axes=None, points=[{"asic.clock_ghz": 1.0}, {"dram.channels": 8}, {"tokens": 2}])).points()
    assert [point.settings for point in points] == [{"asic.clock_ghz": 1.0}]


def test_anything_that_matters_changes_the_key(sweep_file: SweepFile) -> None:
    changes = [
        {"tokens": 3}, {"prompt": 2}, {"mapping": "row_per_output"}, {"dram.timing.tRP_ns": 13}, {"energy.mac_pj": 1.0},
        {"workload.model.layers": 2}, {"dram.refresh.mode": "none"}, {"hardware": "gddr6_aim"}, {"workload": "gpt2_small"},
    ]  # fmt: skip
    keys = [point.key for point in plan_sweep(sweep_file(axes=None, points=[{"tokens": 2}, *changes])).points()]
    assert len(set(keys)) == len(changes) + 1


def test_files_are_found_beside_the_sweep(sweep_file: SweepFile, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("base: pim_gpt\nname: mine\n")
    assert plan_sweep(sweep_file(hardware="mine.yaml")).points()[0].task.hardware["name"] == "mine"
