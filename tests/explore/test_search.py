"""Optuna searches: the same trials whatever the workers, results in the store, infeasible points told as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pimsim.errors import ConfigError
from pimsim.explore.driver import run_sweep
from pimsim.explore.table import Sweep
from tests.sweep_cases import BASE

pytest.importorskip("optuna")
AXES = {
    "dram.channels": [1, 2, 4, 8],
    "asic.clock_ghz": {"geom": [0.1, 1.0]},
    "mapping": ["row_per_output", "pim_gpt"],
    "controller.issue": ["serial", "overlap"],
}


def search_file(folder: Path, sampler: str = "nsga2", **changes: Any) -> Path:
    strategy = {"optuna": {"sampler": sampler, "trials": 24, "batch": 8, "objectives": ["latency_s", "area_mm2"]}}
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump({**BASE, "axes": AXES, "strategy": strategy, **changes}))
    return path


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_trials_do_not_depend_on_the_workers(tmp_path: Path, sampler: str) -> None:
    path = search_file(tmp_path, sampler, limits={"area_mm2": {"max": 200}}, where=["dram.channels != 2"])
    frames = [Sweep.run(path, tmp_path / str(count), workers=count).frame() for count in (1, 2)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert set(frames[0]["status"]) == {"done", "infeasible"}
    assert 2 not in set(frames[0]["dram.channels"]) and {1, 8} < set(frames[0]["dram.channels"])
    assert run_sweep(path, tmp_path / "1").progress.simulated == 0


def test_the_seed_changes_the_trials(tmp_path: Path) -> None:
    first, second = (Sweep.run(search_file(tmp_path, seed=seed), tmp_path / str(seed), workers=2).frame() for seed in (1, 2))
    assert first["asic.clock_ghz"].tolist() != second["asic.clock_ghz"].tolist()


def test_later_generations_are_better_than_chance(tmp_path: Path) -> None:
    strategy = {"optuna": {"sampler": "nsga2", "trials": 60, "batch": 10, "objectives": ["latency_s"]}}
    frame = Sweep.run(search_file(tmp_path, strategy=strategy), tmp_path, workers=2).frame()
    assert frame[frame["position"] >= 40]["latency_s"].mean() < frame[frame["position"] < 10]["latency_s"].mean()


def test_starting_points_come_first(tmp_path: Path) -> None:
    start = {"dram.channels": 4, "asic.clock_ghz": 0.25, "mapping": "pim_gpt", "controller.issue": "overlap"}
    strategy = {"optuna": {"trials": 3, "objectives": ["latency_s"], "start": [start]}}
    frame = Sweep.run(search_file(tmp_path, strategy=strategy), tmp_path, workers=1).frame()
    assert frame.loc[0, list(start)].to_dict() == start
    assert len(frame) == 3


def test_a_falling_range_is_searched_too(tmp_path: Path) -> None:
    frame = Sweep.run(search_file(tmp_path, axes={"asic.clock_ghz": {"lin": [1.0, 0.5]}}), tmp_path, workers=1).frame()
    assert frame["asic.clock_ghz"].between(0.5, 1.0).all()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Store with a finished sweep of the same name as the searches."""
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(BASE))
    return run_sweep(path, tmp_path / "out", workers=1).path


def test_constraints_that_nothing_satisfies_leave_the_store_alone(stored: Path, tmp_path: Path) -> None:
    before = Sweep.load(stored).frame()
    with pytest.raises(ConfigError, match="none of the 24 trials satisfies all constraints"):
        run_sweep(search_file(tmp_path, where=["dram.channels > 8"]), stored.parent, fresh=True)
    pd.testing.assert_frame_equal(Sweep.load(stored).frame(), before, check_exact=True)


def test_without_optuna_the_store_is_left_alone(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Sweep.load(stored).frame()
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'pimsim\[search\]'"):
        run_sweep(search_file(tmp_path), stored.parent, fresh=True)
    pd.testing.assert_frame_equal(Sweep.load(stored).frame(), before, check_exact=True)
