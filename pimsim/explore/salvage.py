"""What is sound in a damaged store: every point whose row can still be read, without touching the file."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pimsim.errors import StoreError
from pimsim.explore.evaluate import DONE, FAILED, INFEASIBLE
from pimsim.files import is_regular
from pimsim.result.check import impossible

_LONGEST_TEXT = 1_000_000


def salvage(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Rows of the sound points, with their settings where those are sound too, and how many rows were not."""
    if not is_regular(path):
        raise StoreError(f"{path}: no such store")
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        plans = {row[0]: row for row in _rows(db, "plans", "key, position, settings") if row is not None}
        found, damaged = [], 0
        for row in _rows(db, "points", "key, status, columns, reason"):
            sound = None if row is None else _sound(row, plans)
            damaged += sound is None
            found += [sound] if sound is not None else []
    if not found:
        raise StoreError(f"{path}: holds no point that can be read")
    return found, damaged


def _rows(db: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...] | None]:
    """Rows of a table as far as they can be read, then None if there is damage."""
    try:
        yield from db.execute(f"SELECT {columns} FROM {table}")
    except (sqlite3.Error, UnicodeDecodeError, OverflowError):
        yield None


def _sound(row: tuple[Any, ...], plans: dict[Any, tuple[Any, ...]]) -> dict[str, Any] | None:
    key, status, columns, reason = row
    if not isinstance(key, str) or status not in (DONE, INFEASIBLE, FAILED) or not isinstance(reason, str | None):
        return None
    figures = _object(columns) if status == DONE else {}
    if figures is None or next(impossible(figures), None) is not None:
        return None
    _, position, settings = plans.get(key, (key, None, None))
    return {"position": position, **(_object(settings) or {}), "status": status, "reason": reason, **figures, "key": key}


def _object(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if isinstance(text, str) and len(text) < _LONGEST_TEXT else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
