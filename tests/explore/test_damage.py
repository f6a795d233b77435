"""Damaged stores: one line that names table and row, what is sound stays readable, and nothing is changed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pimsim.errors import PimsimError, StoreError
from pimsim.explore.driver import run_sweep
from pimsim.explore.table import Sweep
from tests.sweep_cases import SweepFile

FLIPS = 60
STATEMENTS = {
    "wrong JSON in a point": ("UPDATE points SET columns = '{' WHERE key = (SELECT MIN(key) FROM points)", "'points', row '"),
    "a list for an object": ("UPDATE points SET columns = '[1]'", "'points', row '"),
    "a number for text": ("UPDATE points SET columns = 3", "'points', row '"),
    "deep JSON": ("UPDATE points SET columns = '" + "[" * 100_000 + "'", "'points', row '"),
    "binary": ("UPDATE points SET columns = x'ff00fe'", "'points', row '|a text in it is damaged"),
    "an impossible figure": ("UPDATE points SET columns = '{\"row_hit_rate\": -4}'", "row_hit_rate is negative"),
    "no number": ("UPDATE points SET columns = '{\"latency_s\": NaN}'", "latency_s is nan"),
    "an unknown status": ("UPDATE points SET status = 'perhaps'", "unknown status 'perhaps'"),
    "wrong settings": ("UPDATE plans SET settings = 'x'", "'plans', row '0'"),
    "text for a position": ("UPDATE plans SET position = 'x' || position", "'plans', row 'x0'"),
    "a wrong description": ("UPDATE sweeps SET spec = '{}'", "table 'sweeps': the sweep's description is damaged"),
    "no description": ("DELETE FROM sweeps", "no sweep has been run"),
    "a missing column": ("ALTER TABLE points DROP COLUMN reason", "column 'reason' of table 'points' is missing"),
    "a missing table": ("DROP TABLE points", "table 'points' is missing"),
    "a renamed table": ("ALTER TABLE sweeps RENAME TO s", "table 'sweeps' is missing"),
    "another version": ("PRAGMA user_version = 99", "schema version 99"),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import yaml

    from tests.sweep_cases import BASE

    folder = tmp_path_factory.mktemp("whole")
    (folder / "sweep.yaml").write_text(yaml.safe_dump({**BASE, "axes": {"asic.clock_ghz": {"lin": [0.5, 1.0, 12]}}}))
    return run_sweep(folder / "sweep.yaml", folder, workers=1).path


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "small.sqlite"))


@pytest.mark.parametrize("name", STATEMENTS)
def test_damage_is_named_and_left_alone(
    name: str, store: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    statement, message = STATEMENTS[name]
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute(statement)
        db.commit()
    before = store.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=message) as raised:
            Sweep.load(store)
        assert len(str(raised.value)) < 1000 and "\n" not in str(raised.value)
    assert pimsim("show", store) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert store.read_bytes() == before and [path.name for path in store.parent.iterdir()] == [store.name]


def test_what_is_sound_can_be_salvaged(store: Path, tmp_path: Path, pimsim: Callable[..., int]) -> None:
    undamaged = Sweep.load(store).frame().set_index("key")
    with contextlib.closing(sqlite3.connect(store)) as db:
        keys = [key for (key,) in db.execute("SELECT key FROM points ORDER BY key")]
        db.execute("UPDATE points SET columns = '{' WHERE key = ?", (keys[0],))
        db.execute("UPDATE points SET columns = '{\"latency_s\": -1}' WHERE key = ?", (keys[1],))
        db.execute("UPDATE plans SET settings = 'x' WHERE key = ?", (keys[2],))
        db.execute("DELETE FROM sweeps")
        db.commit()
    before = store.read_bytes()
    assert pimsim("show", store, "--salvage", tmp_path / "sound.csv") == 0
    found = pd.read_csv(tmp_path / "sound.csv").set_index("key")
    assert set(found.index) == set(keys[2:]) and store.read_bytes() == before
    for key in found.index:
        assert found.loc[key, "latency_s"] == undamaged.loc[key, "latency_s"]


def _survives(store: Path, target: Path) -> None:
    """Reading a store gives the table, or one error of the package; and the same holds for salvaging it."""
    from pimsim.explore.salvage import salvage

    before = store.read_bytes()
    for read in (lambda: Sweep.load(store).frame(), lambda: salvage(store)):
        try:
            read()
        except PimsimError as error:
            assert "\n" not in str(error) or len(str(error)) < 3000
    assert store.read_bytes() == before


def _flipped(whole: Path, target: Path, chance: random.Random) -> None:
    content = bytearray(whole.read_bytes())
    for _ in range(chance.choice((1, 3, 30, 300))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.3:
        del content[chance.randrange(len(content)) :]
    target.write_bytes(content)


@pytest.mark.parametrize("seed", range(4))
def test_flipped_and_cut_stores(seed: int, whole: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for number in range(FLIPS // 4):
        _flipped(whole, tmp_path / f"{number}.sqlite", chance)
        _survives(tmp_path / f"{number}.sqlite", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_flipped_and_cut_stores(seed: int, whole: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for _ in range(200):
        _flipped(whole, tmp_path / "s.sqlite", chance)
        _survives(tmp_path / "s.sqlite", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_finished_store_in_a_read_only_folder(store: Path) -> None:
    store.parent.chmod(0o500)
    try:
        assert len(Sweep.load(store).frame()) == 12
    finally:
        store.parent.chmod(0o700)


def test_nothing_finished_is_an_error_and_dry_run_says_why(
    sweep_file: SweepFile, tmp_path: Path, pimsim: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = sweep_file(axes={"dram.rows": [1, 2]})
    assert pimsim("sweep", path, "--out", tmp_path, "--workers", 1) == 1
    errors = capsys.readouterr().err
    assert "no point could be simulated:" in errors and "GB are missing" in errors
    assert pimsim("sweep", path, "--out", tmp_path, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "2 points, 2 of them infeasible" in out and "GB are missing" in out
