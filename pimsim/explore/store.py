"""The store of a sweep: one SQLite file, a transaction for each finished point, shared by any number of processes.

``points`` holds what was simulated, by content hash, whatever sweep asked for it. ``plans`` lists the points of each
sweep in its order, and ``sweeps`` the sweeps, the one run last with the greatest ``run``.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pimsim.errors import StoreError
from pimsim.explore.evaluate import DONE, FAILED, INFEASIBLE, Outcome
from pimsim.explore.points import DesignPoint
from pimsim.result.check import impossible
from pimsim.result.provenance import git_commit, package_version
from pimsim.text import shown

STORE_VERSION = 1
COLUMNS = {
    "points": (
        "key",
        "status",
        "columns",
        "reason",
        "traceback",
        "wall_s",
        "engine_s",
        "package_version",
        "git_commit",
        "finished_at",
    ),
    "plans": ("sweep", "position", "key", "settings", "refused"),
    "sweeps": ("sweep", "name", "spec", "run"),
}
_SALVAGE = "; 'pimsim show STORE --salvage FILE.csv' writes what is sound"
BUSY_TIMEOUT_S = 120
_TABLES = """
CREATE TABLE points (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, columns TEXT, reason TEXT, traceback TEXT, wall_s REAL, engine_s REAL,
    package_version TEXT, git_commit TEXT, finished_at REAL
) WITHOUT ROWID;
CREATE TABLE plans (
    sweep TEXT, position INTEGER, key TEXT NOT NULL, settings TEXT NOT NULL, refused TEXT, PRIMARY KEY (sweep, position)
) WITHOUT ROWID;
CREATE TABLE sweeps (sweep TEXT PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, run INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class StoredPoint:
    """A point of a sweep as stored; ``status`` is None while it has not been simulated."""

    position: int
    key: str
    settings: dict[str, Any]
    refused: str | None
    status: str | None
    columns: dict[str, Any]
    reason: str | None
    traceback: str | None


class Store:
    """An open store. Every method is one transaction; StoreError if the file cannot be read or written."""

    def __init__(self, path: Path, create: bool = False) -> None:
        self.path = path
        if not create and not path.is_file():
            raise StoreError(f"{path}: no such store")
        if path.is_dir():
            raise StoreError(f"{path}: is a folder, not a store")
        if path.is_file() and path.stat().st_size:
            _check_version(path)
        with self._told("cannot be opened: "):
            self._open(create)

    def _open(self, create: bool) -> None:
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        if not create:
            self._db = _reading(self.path)
            return
        self._db = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {STORE_VERSION}")

    @contextmanager
    def _told(self, opening: str = "") -> Iterator[None]:
        """Turn errors of the file system and of SQLite into one message."""
        try:
            yield
        except UnicodeDecodeError as error:
            raise StoreError(f"{self.path}: {opening}a text in it is damaged: {error}{_SALVAGE}") from None
        except sqlite3.Error as error:
            kept = "" if opening else "; points finished before are kept"
            raise StoreError(f"{self.path}: {opening}{error}{kept}") from None
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error.strerror}") from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def begin(self, sweep: str, name: str, spec: str, fresh: bool) -> None:
        """Make ``sweep`` the one run last; ``fresh`` forgets every point and plan first."""
        with self._transaction() as db:
            if fresh:
                for table in ("points", "plans", "sweeps"):
                    db.execute(f"DELETE FROM {table}")
            last = db.execute("SELECT COALESCE(MAX(run), 0) FROM sweeps").fetchone()[0]
            db.execute("INSERT OR REPLACE INTO sweeps VALUES (?, ?, ?, ?)", (sweep, name, spec, last + 1))

    def add_plan(self, sweep: str, points: Iterable[tuple[int, DesignPoint]]) -> None:
        """List points of ``sweep`` by position; what is listed already stays."""
        rows = [(sweep, at, point.key, json.dumps(point.settings), point.refused) for at, point in points]
        with self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO plans VALUES (?, ?, ?, ?, ?)", rows)

    def add(self, outcome: Outcome) -> bool:
        """Keep what became of a point; a finished one is never replaced. False if another process was first."""
        columns = None if outcome.row is None else json.dumps(outcome.row)
        values = (outcome.key, outcome.status, columns, outcome.reason, outcome.traceback, outcome.wall_s, outcome.engine_s)
        versions = (package_version(), git_commit(), time.time())
        with self._transaction() as db:
            db.execute("DELETE FROM points WHERE key = ? AND status = ?", (outcome.key, FAILED))
            added = db.execute("INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values + versions)
        return added.rowcount == 1

    def statuses(self) -> dict[str, str]:
        """Status of every simulated point by key."""
        with self._told():
            return dict(self._db.execute("SELECT key, status FROM points"))

    def status(self, key: str) -> str | None:
        """Status of one point; None if it was not simulated."""
        with self._told():
            found = self._db.execute("SELECT status FROM points WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def columns(self, key: str) -> dict[str, Any] | None:
        """Columns of a point that is done; None of any other."""
        with self._told():
            found = self._db.execute("SELECT columns FROM points WHERE key = ? AND status = ?", (key, DONE)).fetchone()
        return _object(found[0], self.path, "points", key) if found else None

    def last_sweep(self) -> tuple[str, str]:
        """Identity and specification (JSON) of the sweep run last. Raises StoreError if none was."""
        with self._told():
            found = self._db.execute("SELECT sweep, spec FROM sweeps ORDER BY run DESC LIMIT 1").fetchone()
        if found is None:
            raise StoreError(f"{self.path}: no sweep has been run into this store")
        return found[0], found[1]

    def plan(self, sweep: str) -> list[StoredPoint]:
        """All points of ``sweep`` in its order."""
        query = """SELECT position, plans.key, settings, refused, status, columns, reason, traceback
                   FROM plans LEFT JOIN points ON points.key = plans.key WHERE sweep = ? ORDER BY position"""
        with self._told():
            rows = self._db.execute(query, (sweep,)).fetchall()
        return [_stored_point(row, self.path) for row in rows]

    def timings(self) -> tuple[float, float]:
        """Sum of the workers' and of the engine's seconds over all stored points."""
        with self._told():
            found = self._db.execute("SELECT COALESCE(SUM(wall_s), 0), COALESCE(SUM(engine_s), 0) FROM points").fetchone()
        return float(found[0]), float(found[1])

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _check_version(path: Path) -> None:
    """Refuse, without touching it, a file that is no store or one of another version."""
    try:
        with contextlib.closing(_reading(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            lacking = next((found for found in (_lacking(db, table) for table in COLUMNS if table in tables) if found), "")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read as a store of sweep results: {error}{_SALVAGE}") from None
    if version == 0 and not tables:
        return
    if version != STORE_VERSION or "plans" not in tables:
        raise StoreError(
            f"{path}: store of schema version {version}; this version of pimsim reads {STORE_VERSION}. "
            "Nothing was changed: read it with the version that wrote it, or give another --out folder"
        )
    missing = next((f"table '{table}'" for table in COLUMNS if table not in tables), lacking)
    if missing:
        raise StoreError(f"{path}: {missing} is missing: the store is damaged; nothing was changed{_SALVAGE}")


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that never writes; a store that no process has open is read as it stands, also in a read-only folder."""
    where = path.resolve()
    in_use = any(where.with_name(where.name + end).exists() for end in ("-wal", "-shm", "-journal"))
    mode = "?mode=ro" if in_use else "?immutable=1"
    return sqlite3.connect(where.as_uri() + mode, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _lacking(db: sqlite3.Connection, table: str) -> str:
    """The first column that ``table`` should have and has not; empty if it has all."""
    there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    return next((f"column '{name}' of table '{table}'" for name in COLUMNS[table] if name not in there), "")


def _object(text: object, path: Path, table: str, row: object) -> dict[str, Any]:
    """A JSON object of a row. Raises StoreError naming table and row if it is none."""
    try:
        found = json.loads(text) if isinstance(text, str | bytes) else text
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StoreError(f"{path}: table '{table}', row '{shown(row)}': is damaged: no JSON object{_SALVAGE}")
    return found


def _stored_point(row: tuple[Any, ...], path: Path) -> StoredPoint:
    position, key, settings, refused, status, columns, reason, traceback = row
    texts = (key, refused, status, reason, traceback)
    if not isinstance(position, int) or not all(text is None or isinstance(text, str) for text in texts):
        raise StoreError(f"{path}: table 'plans', row '{shown(position)}': is damaged: text and numbers are mixed up{_SALVAGE}")
    if status not in (None, DONE, INFEASIBLE, FAILED):
        raise StoreError(f"{path}: table 'points', row '{shown(key)}': is damaged: unknown status '{shown(status)}'{_SALVAGE}")
    found = _object(columns, path, "points", key) if columns is not None else {}
    _check_columns(found, path, key)
    return StoredPoint(position, key, _object(settings, path, "plans", position), refused, status, found, reason, traceback)


def _check_columns(columns: dict[str, Any], path: Path, key: str) -> None:
    """Refuse a row whose figures cannot be: damaged after it was written, for no such row is stored."""
    wrong = next(impossible(columns), "")
    if wrong:
        raise StoreError(f"{path}: table 'points', row '{shown(key)}': is damaged: {shown(wrong)}{_SALVAGE}")
