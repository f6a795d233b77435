"""Killed drivers and workers, Ctrl-C and a full disk: nothing finished is lost, and a resumed sweep ends as if undisturbed.

PIMSIM_KILLS sets how often the driver and a worker are killed (20 in continuous integration).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pimsim.explore.driver import run_sweep
from pimsim.explore.table import Sweep
from tests.sweep_cases import BASE, start_sweep

KILLS = int(os.environ.get("PIMSIM_KILLS", "4"))
POINTS = 40 + 25 * KILLS
PATIENCE_S = 120


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of many points that take milliseconds."""
    path = tmp_path_factory.mktemp("kills") / "sweep.yaml"
    path.write_text(yaml.safe_dump({**BASE, "axes": {"asic.clock_ghz": {"lin": [0.5, 1.0, POINTS]}}}))
    return path


@pytest.fixture(scope="module")
def undisturbed(sweep: Path) -> pd.DataFrame:
    """Table of the sweep run in one go."""
    return Sweep.load(run_sweep(sweep, sweep.parent / "undisturbed", workers=2).path).frame()


def stored(store: Path) -> int:
    """Points in a store that another process may be writing."""
    if not store.is_file():
        return 0
    with contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=30)) as db:
        try:
            return int(db.execute("SELECT COUNT(*) FROM points").fetchone()[0])
        except sqlite3.OperationalError:  # not created yet
            return 0


def wait_for_more(process: subprocess.Popen[str], store: Path, before: int) -> bool:
    """Wait until more points than ``before`` are stored; False if the sweep ended first."""
    end = time.monotonic() + PATIENCE_S
    while stored(store) <= before:
        if process.poll() is not None:
            return False
        assert time.monotonic() < end, "the sweep makes no progress"
        time.sleep(0.005)
    return True


def assert_whole(sweep: Path, store: Path, undisturbed: pd.DataFrame) -> None:
    """Finish the sweep, and compare with the one that nothing disturbed."""
    run = run_sweep(sweep, store.parent, workers=1)
    assert (run.progress.done, run.progress.failed) == (POINTS, 0)
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT COUNT(*), COUNT(DISTINCT key) FROM points").fetchone() == (POINTS, POINTS)
    pd.testing.assert_frame_equal(Sweep.load(store).frame(), undisturbed, check_exact=True)


def test_killed_driver(sweep: Path, undisturbed: pd.DataFrame, tmp_path: Path) -> None:
    chance, store, kept = random.Random(1), tmp_path / "small.sqlite", 0
    for _ in range(KILLS):
        process = start_sweep(sweep, tmp_path, "--workers", 1)
        assert wait_for_more(process, store, kept), "all points were done before the last kill: give the sweep more"
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.communicate()
        assert stored(store) > kept
        kept = stored(store)
    assert kept < POINTS
    assert_whole(sweep, store, undisturbed)


def test_killed_workers(sweep: Path, undisturbed: pd.DataFrame, tmp_path: Path) -> None:
    chance, store, killed, kept = random.Random(2), tmp_path / "small.sqlite", 0, 0
    process = start_sweep(sweep, tmp_path, "--workers", 2)
    while killed < KILLS:
        if not wait_for_more(process, store, kept):
            process.communicate()
            process = start_sweep(sweep, tmp_path, "--workers", 2, "--fresh")
            kept = 0
            continue
        time.sleep(chance.uniform(0, 0.05))
        kept = stored(store)
        with contextlib.suppress(ProcessLookupError, IndexError, FileNotFoundError):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(chance.choice(children)), signal.SIGKILL)
            killed += 1
    process.communicate(timeout=PATIENCE_S)
    assert_whole(sweep, store, undisturbed)


@pytest.mark.parametrize("stop", [signal.SIGINT])
def test_interrupted(sweep: Path, undisturbed: pd.DataFrame, tmp_path: Path, stop: signal.Signals) -> None:
    store = tmp_path / "small.sqlite"
    process = start_sweep(sweep, tmp_path, "--workers", 2)
    assert wait_for_more(process, store, 0)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "interrupted: " in errors and "run again to go on" in errors and "Traceback" not in errors
    assert 0 < stored(store) < POINTS
    assert_whole(sweep, store, undisturbed)


def test_full_disk(sweep: Path, undisturbed: pd.DataFrame, tmp_path: Path) -> None:
    store = tmp_path / "small.sqlite"
    process = start_sweep(sweep, tmp_path, "--workers", 1, limit_file_bytes=200_000)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert f"error: {store}: " in errors and "points finished before are kept" in errors and "Traceback" not in errors
    assert 0 < stored(store) < POINTS
    assert_whole(sweep, store, undisturbed)


def test_two_drivers_share_a_store(sweep: Path, undisturbed: pd.DataFrame, tmp_path: Path) -> None:
    drivers = [start_sweep(sweep, tmp_path, "--workers", 1) for _ in range(2)]
    texts = [driver.communicate(timeout=PATIENCE_S)[0] for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0]
    simulated = [int(text.split(" simulated now")[0].rpartition(" ")[2]) for text in texts]
    assert POINTS <= sum(simulated) <= POINTS + 10
    assert_whole(sweep, tmp_path / "small.sqlite", undisturbed)
