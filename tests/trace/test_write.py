"""Output files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.errors import TraceError
from pimsim.trace import replacing


def test_nothing_is_left_after_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "out.csv") as file:
        file.write("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    with replacing(out) as file:
        file.write("new")
        file.flush()
        assert out.read_text() == "old"
    assert out.read_text() == "new"
    assert list(tmp_path.iterdir()) == [out]


def test_places_that_cannot_hold_a_file(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "is not a regular file"), (tmp_path / "no" / "out.csv", "cannot be written")):
        with pytest.raises(TraceError, match=message), replacing(path):
            pass
    assert list(tmp_path.iterdir()) == []
