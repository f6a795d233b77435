"""Running sweeps with local workers: the table, what is skipped, what fails, and the verbs that read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

import pimsim as package
from pimsim.explore.driver import run_sweep
from pimsim.explore.evaluate import FAILED, Outcome, evaluate
from pimsim.explore.local import MAX_ATTEMPTS, LocalWorkers
from pimsim.explore.plan import plan_sweep
from pimsim.explore.points import Task
from pimsim.explore.store import Store
from pimsim.explore.table import Sweep
from pimsim.verbs.print_table import parts
from tests.sweep_cases import BASE, TINY, SweepFile

MIXED = {
    "axes": {"dram.channels": [1, 2, 4], "workload.model.max_context": [64, 1_000_000], "mapping": ["pim_gpt", "row_per_output"]},
    "limits": {"area_mm2": {"max": 100}, "power_w": {"max": 1.1}},
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store of a sweep with finished and infeasible points, run by two workers."""
    folder = tmp_path_factory.mktemp("mixed")
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump({**BASE, **MIXED}))
    return run_sweep(path, folder / "two", workers=2).path


def test_table_is_the_same_for_any_number_of_workers(mixed: Path) -> None:
    again = run_sweep(mixed.parent.parent / "sweep.yaml", mixed.parent.parent / "one", workers=1)
    pd.testing.assert_frame_equal(Sweep.load(mixed).frame(), Sweep.load(again.path).frame(), check_exact=True)


def test_second_run_simulates_nothing(mixed: Path) -> None:
    before = Sweep.load(mixed).frame()
    again = run_sweep(mixed.parent.parent / "sweep.yaml", mixed.parent, workers=2)
    assert again.progress.simulated == 0
    assert again.progress.finished == again.progress.total == len(before)
    pd.testing.assert_frame_equal(before, Sweep.load(mixed).frame(), check_exact=True)


def test_infeasible_points_say_why(mixed: Path) -> None:
    frame = Sweep.load(mixed).frame()
    assert len(frame) == 12
    reasons = frame[frame["status"] == "infeasible"]["reason"].tolist()
    assert sum(reason.startswith("area_mm2 ") and "above the limit of 100 mm2" in reason for reason in reasons) == 4
    assert any("average_power_w" in reason and "above the limit of 1.1 W" in reason for reason in reasons)
    assert frame[frame["status"] == "done"]["reason"].isna().all()


def test_rows_are_what_simulate_gives(mixed: Path) -> None:
    for row in Sweep.load(mixed).rows:
        if "latency_s" not in row:
            continue
        settings = [f"{path}={row[path]}" for path in MIXED["axes"]]
        result = package.simulate("pim_gpt", TINY, settings=settings)
        assert row["latency_s"] == result.latency_s
        assert row["energy_j"] == result.energy_j["nominal"]
        assert row["energy_delay_js"] == result.energy_j["nominal"] * result.latency_s
        assert row["tokens_per_s_per_w"] == pytest.approx(2 / result.energy_j["nominal"])


def test_a_longer_axis_runs_the_new_points_only(mixed: Path) -> None:
    path = mixed.parent.parent / "longer.yaml"
    axes = {**MIXED["axes"], "dram.channels": [1, 2, 3, 4]}
    path.write_text(yaml.safe_dump({**BASE, **MIXED, "axes": axes}))
    run = run_sweep(path, mixed.parent, workers=1)
    assert run.progress.simulated == 4
    assert len(Sweep.load(mixed).frame()) == 16
    run_sweep(mixed.parent.parent / "sweep.yaml", mixed.parent)
    assert len(Sweep.load(mixed).frame()) == 12


def test_a_changed_base_file_gives_a_new_table(tmp_path: Path, sweep_file: SweepFile) -> None:
    workload = tmp_path / "mine.yaml"
    path, latencies_s = sweep_file(workload="mine.yaml", axes={"dram.channels": [1]}), []
    for layers in (1, 2, 1):
        workload.write_text(TINY.read_text().replace("layers: 1", f"layers: {layers}"))
        latencies_s.append(package.Sweep.run(path, tmp_path, workers=1).rows[0]["latency_s"])
    assert latencies_s[0] == latencies_s[2] < latencies_s[1]


@pytest.fixture
def text_beside_numbers(tmp_path: Path, sweep_file: SweepFile) -> Path:
    """Store of a sweep with a value of the wrong type, and one that looks like markup."""
    axes = {"dram.channels": [2, "two", 1], "mapping": ["pim_gpt", "[/bold]"]}
    return run_sweep(sweep_file(axes=axes), tmp_path / "out", workers=1).path


def test_text_beside_numbers_is_shown(text_beside_numbers: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    assert pimsim("show", text_beside_numbers, "--sort", "dram.channels") == 0
    rows = [line.split()[1:3] for line in capsys.readouterr().out.splitlines() if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == ["1", "1", "2", "2", "two", "two"]
    assert {row[1] for row in rows} == {"pim_gpt", "[/bold]"}


def test_text_beside_numbers_is_exported(text_beside_numbers: Path, tmp_path: Path, pimsim: Callable[..., int]) -> None:
    assert pimsim("show", text_beside_numbers, "--out", tmp_path / "t.parquet") == 0
    assert pd.read_parquet(tmp_path / "t.parquet")["dram.channels"].tolist() == ["2", "2", "two", "two", "1", "1"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_export(mixed: Path, kind: str, tmp_path: Path, pimsim: Callable[..., int]) -> None:
    target = tmp_path / f"table.{kind}"
    assert pimsim("show", mixed, "--export", target) == 0
    read = pd.read_csv(target) if kind == "csv" else pd.read_parquet(target)
    frame = Sweep.load(mixed).frame()
    assert list(read) == list(frame)
    assert read["latency_s"].tolist()[0] == frame["latency_s"].tolist()[0]
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_parquet_without_pyarrow(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert pimsim("show", mixed, "--export", tmp_path / "t.parquet") == 2
    assert "pip install 'pimsim[parquet]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_show_sorts_filters_and_cuts(mixed: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert pimsim("show", mixed, "--columns", "dram.channels,mapping,latency_s", "--sort", "tokens_per_s", "--top", 2, "--where", "status == 'done'") == 0  # fmt: skip
    frame = Sweep.load(mixed).frame()
    fastest = frame[frame["status"] == "done"].sort_values("latency_s")["latency_s"].tolist()[:2]
    out = capsys.readouterr().out
    assert [f"{value:.6g}" in out for value in fastest] == [True, True]
    assert len([line for line in out.splitlines() if line.strip()[:1].isdigit()]) == 2
    assert pimsim("show", mixed, "--sort", "latency") == 2
    assert "(did you mean 'latency_s'?)" in capsys.readouterr().err


def test_pareto_prints_and_plots(
    mixed: Path, tmp_path: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert pimsim("pareto", mixed, "--objectives", "latency_s,area_mm2", "--out", tmp_path / "p.png") == 0
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    front = Sweep.load(mixed).front(["latency_s", "area_mm2"])
    assert f"{len(front)} of" in capsys.readouterr().out
    assert front["latency_s"].is_monotonic_increasing


def test_pareto_compares_marked_points(mixed: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    frame = Sweep.load(mixed).frame().set_index("position")
    objectives = ["latency_s", "energy_j"]
    assert frame.loc[0, "mapping"] == "pim_gpt" and frame.loc[2, "mapping"] == "row_per_output"
    assert (frame.loc[0, objectives] < frame.loc[2, objectives]).all()
    assert pimsim("pareto", mixed, "--objectives", "latency_s,energy_j", "--no-plot", "--mark", "position == 2") == 0
    out = capsys.readouterr().out
    assert "point 2 is dominated by points " in out and "point 0 is" not in out
    assert not list(mixed.parent.glob("*.png"))


def test_fresh_simulates_again(mixed: Path, sweep_file: SweepFile, tmp_path: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    path = sweep_file(axes={"dram.channels": [1]})
    for option, simulated in (("--resume", 1), ("--resume", 0), ("--fresh", 1)):
        assert pimsim("sweep", path, "--out", tmp_path, "--workers", 1, option) == 0
        assert f"1 done, 0 infeasible, 0 failed; {simulated} simulated now" in capsys.readouterr().out


def test_dry_run_writes_nothing(
    sweep_file: SweepFile, tmp_path: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert pimsim("sweep", sweep_file(), "--out", tmp_path / "out", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "0: dram.channels=1, asic.clock_ghz=0.5" in out and "4 points, 0 of them infeasible" in out
    assert not (tmp_path / "out").exists()


class LosingWorkers(LocalWorkers):
    """Every worker is killed as soon as it is started."""

    def _start(self):  # type: ignore[no-untyped-def]
        worker = super()._start()
        worker.process.kill()
        return worker


def test_a_point_whose_worker_is_always_lost_fails_in_the_end(sweep_file: SweepFile) -> None:
    workers = LosingWorkers(1)
    workers.submit(plan_sweep(sweep_file()).points()[0].task)
    outcome = workers.wait()
    assert outcome.status == FAILED
    assert outcome.reason == f"its worker process was lost {MAX_ATTEMPTS} times, the last time by signal 9"
    assert workers.busy == 0


def test_an_unforeseen_error_keeps_its_traceback(sweep_file: SweepFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("pimsim.explore.evaluate.simulate", broken)
    outcome = evaluate(plan_sweep(sweep_file()).points()[0].task)
    assert (outcome.status, outcome.reason) == (FAILED, "RuntimeError: unforeseen")
    assert "in broken" in str(outcome.traceback)


class FailingOnce:
    """Workers in this process, the first point of which fails."""

    busy, has_room = 0, True

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def submit(self, task: Task) -> None:
        self.tasks.append(task)
        self.busy = 1
        self.has_room = False

    def wait(self) -> Outcome:
        self.busy, self.has_room = 0, True
        first = len(self.tasks) == 1
        return Outcome(self.tasks[-1].key, FAILED, None, "lost", "Traceback") if first else evaluate(self.tasks[-1])

    def close(self) -> None:
        pass


def test_failed_points_are_reported_and_tried_again(sweep_file: SweepFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setattr("pimsim.explore.driver.LocalWorkers", lambda _: FailingOnce())
    assert pimsim("sweep", sweep_file(), "--out", tmp_path) == 1
    captured = capsys.readouterr()
    assert "3 done, 0 infeasible, 1 failed; 4 simulated now" in captured.out and "lost" in captured.err
    store = Store(tmp_path / "small.sqlite")
    assert [point.traceback for point in store.plan(store.last_sweep()[0]) if point.status == FAILED] == ["Traceback"]
    monkeypatch.undo()
    again = run_sweep(sweep_file(), tmp_path, workers=1)
    assert (again.progress.simulated, again.progress.done) == (1, 4)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("mapping", "pim_gtp", "unknown policy 'pim_gtp' (did you mean 'pim_gpt'?)"),
        ("tokens", 0, "0 tokens to generate: must be at least 1"),
        ("tokens", 1.5, "1.5 is not a whole number"),
        ("tokens", 10**6, "K and V space is reserved for"),
        ("dram.timing.nWLGB", 0.5, "nWLGB"),
    ],
)
def test_impossible_points_are_told_without_simulating(path: str, value: object, reason: str, sweep_file: SweepFile) -> None:
    plan = plan_sweep(sweep_file(axes={path: ["pim_gpt" if path == "mapping" else 1, value]}))
    possible, impossible = plan.points()
    assert possible.refused is None
    assert reason in str(impossible.refused)


def test_show_and_pareto_as_json(mixed: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert pimsim("show", mixed, "--top", "3", "--json", "-") == 0
    points = json.loads(capsys.readouterr().out)["points"]
    assert len(points) == 3 and all({"position", "status", "latency_s"} <= set(row) for row in points)
    assert pimsim("pareto", mixed, "--no-plot", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    done = Sweep.load(mixed).frame()["status"] == "done"
    assert document["front"] and document["objectives"][:2] == ["latency_s", "energy_j"] and document["finished"] == done.sum()


def test_wide_tables_are_broken_into_parts_that_begin_with_the_first_column() -> None:
    assert list(parts([8, 10, 10, 10], 80)) == [[0, 1, 2, 3]]
    assert list(parts([8, 30, 30, 30], 80)) == [[0, 1, 2], [0, 3]]
    assert list(parts([8, 200, 30], 80)) == [[0, 1], [0, 2]]
