"""The store: what is kept, what replaces what, several processes at once, and a disk that is full."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from pimsim.errors import StoreError
from pimsim.explore.evaluate import DONE, FAILED, INFEASIBLE, Outcome
from pimsim.explore.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "s.sqlite"


def test_a_finished_point_is_never_replaced(path: Path) -> None:
    store = Store(path, create=True)
    store.add(Outcome("k", DONE, {"latency_s": 0.1}))
    for later in (
        Outcome("k", FAILED, reason="lost"),
        Outcome("k", INFEASIBLE, reason="no"),
        Outcome("k", DONE, {"latency_s": 2.0}),
    ):
        store.add(later)
    assert store.statuses() == {"k": DONE}
    assert store.columns("k") == {"latency_s": 0.1}


def test_a_failed_point_is_replaced(path: Path) -> None:
    store = Store(path, create=True)
    store.add(Outcome("k", FAILED, None, "lost", "Traceback ..."))
    assert store.status("k") == FAILED and store.columns("k") is None
    store.add(Outcome("k", DONE, {"latency_s": 0.1}))
    assert store.status("k") == DONE


def test_numbers_come_back_to_the_last_bit(path: Path) -> None:
    value = {"a": 0.1 + 0.2, "b": 5e-324, "c": 1 << 62, "d": 1.7976931348623157e308}
    Store(path, create=True).add(Outcome("k", DONE, value))
    assert Store(path).columns("k") == value


def test_a_reader_cannot_write(path: Path) -> None:
    Store(path, create=True).close()
    with pytest.raises(StoreError, match="readonly"):
        Store(path).add(Outcome("k", DONE, {}))


def test_write_ahead_log_with_every_commit_on_disk(path: Path) -> None:
    store = Store(path, create=True)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


def _fill(path: Path, first: int, count: int) -> None:
    store = Store(path, create=True)
    for i in range(first, first + count):
        store.add(Outcome(f"k{i}", DONE, {"latency_s": float(i)}))
    store.close()


def test_two_processes_write_at_once(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_fill, args=(path, first, 60)) for first in (0, 40)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert {key: Store(path).columns(key) for key in Store(path).statuses()} == {
        f"k{i}": {"latency_s": float(i)} for i in range(100)
    }


def test_full_disk_keeps_what_was_finished(path: Path) -> None:
    store = Store(path, create=True)
    store.add(Outcome("first", DONE, {"latency_s": 1.0}))
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full; points finished before are kept"):
        for i in range(100):
            store.add(Outcome(f"k{i}", DONE, {"text": "x" * 1000}))
    store.close()
    again = Store(path, create=True)
    assert again.columns("first") == {"latency_s": 1.0}
    again.add(Outcome("later", DONE, {"latency_s": 2.0}))
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_missing_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such store"):
        Store(tmp_path / "none.sqlite")
    assert not list(tmp_path.iterdir())
