"""Every mistake in a sweep: one message that names it, exit code 2, and a store that is as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pimsim.errors import ConfigError
from pimsim.explore.driver import run_sweep
from tests.sweep_cases import SweepFile

CHANNELS = {"dram.channels": [1, 2]}
CHANNEL = {"dram.channels": 1}
SEARCH: dict[str, Any] = {"axes": CHANNELS}


def start(point: dict[str, Any]) -> dict[str, Any]:
    """A search that is told to try ``point`` first."""
    return {"optuna": {"trials": 2, "objectives": ["latency_s"], "start": [point]}}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "typo in a path": ({"axes": {"dram.chanels": [1]}}, "axes: unknown path 'dram.chanels' (did you mean 'dram.channels'?)"),
    "typo in a timing": ({"axes": {"dram.timing.tRDC_ns": [1]}}, "'dram.timing.tRDC_ns' (did you mean 'dram.timing.tRCD_ns'?)"),
    "typo in the model": ({"axes": {"workload.model.layer": [1]}}, "(did you mean 'workload.model.layers'?)"),
    "a group": ({"axes": {"dram": [1]}}, "unknown path 'dram'"),
    "without its group": ({"axes": {"clock_ghz": [1]}}, "unknown path 'clock_ghz' (did you mean 'asic.clock_ghz'?)"),
    "path in settings": ({"settings": {"asic.clok_ghz": 1}}, "settings: unknown path 'asic.clok_ghz'"),
    "path in derive": ({"derive": {"dram.colum_bytes": "1"}}, "derive: unknown path 'dram.colum_bytes'"),
    "path in points": ({"axes": None, "points": [{"dram.row": 1}]}, "points, number 1: unknown path 'dram.row'"),
    "axis and setting": ({"settings": {"dram.channels": 4}}, "settings.dram.channels: is also an axis"),
    "objective twice": (
        {"objectives": ["energy_delay", "energy_delay_js"]},
        "objectives: energy_delay_js is there more than once",
    ),
    "axis and derived": ({"derive": {"dram.channels": "4"}}, "derive.dram.channels: is also an axis"),
    "points and derived": (
        {"axes": None, "points": [CHANNEL], "derive": {"dram.channels": "4"}},
        "derive.dram.channels: is also set in points",
    ),
    "settings and derived": ({"settings": {"tokens": 1}, "derive": {"tokens": "2"}}, "derive.tokens: is also set in settings"),
    "path on two axes": ({"axes": {**CHANNELS, "dram.channels, tokens": [[1, 2]]}}, "'dram.channels' is on two axes"),
    "empty axis": ({"axes": {"dram.channels": []}}, "axes.dram.channels: empty"),
    "no axis": ({"axes": {}}, "give axes"),
    "axes and points": ({"points": [{"tokens": 1}]}, "one of the two"),
    "list in a list": ({"axes": {"dram.channels": [[1, 2]]}}, "[1, 2] is not a single value"),
    "short row": ({"axes": {"dram.channels, tokens": [[1]]}}, "[1] must be a list of 2 values"),
    "number for an axis": ({"axes": {"dram.channels": 4}}, "axes.dram.channels"),
    "unknown range": ({"axes": {"tokens": {"geo": [1, 2, 3]}}}, "unknown key 'geo' (did you mean 'geom'?)"),
    "range from 0": ({"axes": {"tokens": {"geom": [0, 2, 3]}}}, "both ends must be above 0"),
    "half a value": ({"axes": {"tokens": {"lin": [1, 2, 2.5]}}}, "the number of values, 2.5, must be a whole number"),
    "whole range in a grid": ({"axes": {"tokens": {"lin": [1, 2]}}}, "combine: grid needs [a, b, n]"),
    "contradictory constraints": (
        {"where": ["dram.channels > 1", "dram.channels < 2"]},
        "none of the 4 points satisfies all constraints ('dram.channels > 1' holds for 2; 'dram.channels < 2' holds for 2)",
    ),
    "contradictory limit": ({"limits": {"latency_s": {"min": 2, "max": 1}}}, "min 2 is above max 1: no point can satisfy it"),
    "limit without bound": ({"limits": {"latency_s": {}}}, "give min, max or both"),
    "unknown limit": ({"limits": {"area": {"max": 1}}}, "limits: unknown objective 'area' (did you mean 'area_mm2'?)"),
    "unknown objective": ({"objectives": ["latency"]}, "objectives: unknown objective 'latency' (did you mean 'latency_s'?)"),
    "name in where": ({"where": ["dram.chanels > 1"]}, "unknown name 'dram.chanels' (did you mean 'dram.channels'?)"),
    "code in where": ({"where": ["__import__('os')"]}, "unknown function '__import__'"),
    "no value in where": ({"where": ["dram.timing.tRC_ns > 1"]}, "no value for 'dram.timing.tRC_ns'"),
    "unknown hardware": ({"hardware": "pim_gtp"}, "unknown hardware 'pim_gtp' (did you mean 'pim_gpt'?)"),
    "unknown workload": ({"axes": {"workload": ["gpt2_smal"]}}, "unknown workload 'gpt2_smal' (did you mean 'gpt2_small'?)"),
    "unknown key": ({"axis": {}}, "unknown key 'axis' (did you mean 'axes'?)"),
    "unknown strategy": ({"strategy": {"optun": {}}}, "unknown key 'optun' (did you mean 'optuna'?)"),
    "search of a list": (
        {"strategy": {"optuna": {"trials": 1, "objectives": ["latency_s"]}}, "combine": "zip"},
        "a search chooses its own points",
    ),
    "start without an axis": (SEARCH | {"strategy": start({})}, "start, number 1: dram.channels is missing"),
    "start off the axis": (
        SEARCH | {"strategy": start({"dram.channels": 3})},
        "dram.channels: 3 is not one of the axis's values",
    ),
    "start elsewhere": (SEARCH | {"strategy": start({"dram.rows": 3})}, "start, number 1: unknown path 'dram.rows'"),
    "start off the range": (
        {"axes": {"tokens": {"lin": [1, 4]}}, "strategy": start({"tokens": 5})},
        "tokens: 5 is not in 1 .. 4",
    ),
    "samples without draw": ({"samples": 4}, "samples is not for combine: grid"),
    "draw without samples": ({"combine": "sobol"}, "samples is needed by combine: sobol"),
    "name with a slash": ({"name": "../other"}, "name: '../other'"),
    "no area": ({"hardware": "gddr6_14000_1250mV"}, "objectives: area_mm2 needs the group 'area'"),
    "huge grid": ({"axes": {"tokens": {"lin": [1, 2000, 2000]}, "prompt": {"lin": [1, 2000, 2000]}}}, "at most 1,000,000"),
}


def contents(path: Path) -> list[tuple[Any, ...]]:
    """Everything in a store, to compare."""
    with sqlite3.connect(path) as db:
        return [row for table in ("points", "plans", "sweeps") for row in db.execute(f"SELECT * FROM {table}")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store in which a sweep of the same name has been run."""
    from pimsim.explore.evaluate import Outcome
    from pimsim.explore.store import Store

    path = tmp_path / "out" / "small.sqlite"
    opened = Store(path, create=True)
    opened.begin("an earlier sweep", "small", "{}", fresh=False)
    opened.add(Outcome("a point", "done", {"latency_s": 1.0}))
    opened.close()
    return path


@pytest.mark.parametrize("mistake", BAD)
@pytest.mark.parametrize("option", ["--fresh", "--dry-run"])
def test_mistakes(
    mistake: str, option: str, sweep_file: SweepFile, pimsim: Callable[..., int], store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, message = BAD[mistake]
    before = contents(store)
    assert pimsim("sweep", sweep_file(**changes), "--out", store.parent, option) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert contents(store) == before


@pytest.mark.parametrize("blocker", ["file", "missing file system"])
def test_unwritable_folder(
    blocker: str, sweep_file: SweepFile, pimsim: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("not a folder")
    out = tmp_path / "taken" if blocker == "file" else Path("/proc/no_folder")
    assert pimsim("sweep", sweep_file(), "--out", out) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert (tmp_path / "taken").read_text() == "not a folder"


@pytest.mark.parametrize("option", ["--resume", "--fresh"])
def test_store_of_another_version(
    option: str, sweep_file: SweepFile, pimsim: Callable[..., int], store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA user_version = 7")
    before = store.read_bytes()
    for arguments in (("sweep", sweep_file(), "--out", store.parent, option), ("show", store), ("pareto", store)):
        assert pimsim(*arguments) == 2
        assert "store of schema version 7; this version of pimsim reads 1" in capsys.readouterr().err
    assert store.read_bytes() == before


def test_a_file_that_is_no_store(
    sweep_file: SweepFile, pimsim: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "small.sqlite"
    other.write_text("something else" * 100)
    assert pimsim("sweep", sweep_file(), "--out", tmp_path) == 2
    assert "cannot be read as a store of sweep results" in capsys.readouterr().err
    assert other.read_text() == "something else" * 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "smal"), "smal: no such store"),
        (("show", "STORE", "--sort", "x"), "no sweep"),
        (("pareto", "STORE", "--objectives", "latency"), "unknown objective 'latency'"),
    ],
)
def test_reading_what_is_not_there(
    arguments: tuple[str, ...], message: str, pimsim: Callable[..., int], store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(store) as db:
        db.execute("DELETE FROM sweeps" if "--sort" in arguments else "UPDATE sweeps SET spec = ?", *(
            [] if "--sort" in arguments else [('{"name": "small", "axes": {"tokens": [1]}}',)]
        ))  # fmt: skip
    assert pimsim(*[str(store) if part == "STORE" else part for part in arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("address", ["", "foo", "tcp://", "tcp://127.0.0.1:port", "http://127.0.0.1:80"])
def test_malformed_scheduler(
    address: str, sweep_file: SweepFile, pimsim: Callable[..., int], store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    before = contents(store)
    assert pimsim("sweep", sweep_file(), "--out", store.parent, "--scheduler", address, "--fresh") == 2
    assert f"'{address}' is not the address of a Dask scheduler" in capsys.readouterr().err
    assert contents(store) == before


@pytest.mark.parametrize("workers", [0, -1, "2"])
def test_number_of_workers(workers: Any, sweep_file: SweepFile, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"workers: {workers!r}: must be a whole number of 1 or more"):
        run_sweep(sweep_file(), tmp_path / "out", workers=workers)
    assert not (tmp_path / "out").exists()


def test_no_scheduler(
    sweep_file: SweepFile,
    pimsim: Callable[..., int],
    store: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pimsim.explore.cluster.CONNECT_TIMEOUT_S", 0.3)
    before = contents(store)
    assert pimsim("sweep", sweep_file(), "--out", store.parent, "--scheduler", "tcp://127.0.0.1:9", "--fresh") == 2
    assert "tcp://127.0.0.1:9: no Dask scheduler answers" in capsys.readouterr().err
    assert contents(store) == before
