"""Output files: whole or not at all, where the user said, as the user's other files are."""

from __future__ import annotations

import gzip
import io
import os
import socket
import stat
from pathlib import Path

import pandas as pd
import pytest

from pimsim.errors import OutputError
from pimsim.result.write import binary_output, check_writable, text_output, write_json, write_table, write_text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_left_after_an_interruption(tmp_path: Path) -> None:
    for name in ("out.csv", "out.csv.gz"):
        with pytest.raises(KeyboardInterrupt), text_output(tmp_path / name) as file:
            file.write("half")
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    with text_output(out) as file:
        file.write("new")
        file.flush()
        assert out.read_text() == "old"
    assert out.read_text() == "new"
    assert list(tmp_path.iterdir()) == [out]


def test_places_that_cannot_hold_a_file(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to_pipe").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        before = sorted(tmp_path.iterdir())
        wrong = {
            "here": "is a folder", "pipe": "not a regular file", "to_pipe": "not a regular file", "socket": "not a regular file",
            "loop": "cannot be written", "no/out": "does not exist|cannot be written", "x" * 300: "cannot be written", "a\0b": "cannot be written",
            "here/../pipe": "not a regular file",
        }  # fmt: skip
        for name, message in wrong.items():
            with pytest.raises(OutputError, match=message):
                write_text(tmp_path / name, "text")
            with pytest.raises(OutputError, match=message):
                check_writable(tmp_path / name)
        for device in ("/dev/null", "/dev/full", "/dev/stdin"):
            with pytest.raises(OutputError, match=r"not a regular file|cannot be written"):
                write_text(device if Path(device).exists() else "/dev/null", "text")
        assert sorted(tmp_path.iterdir()) == before
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("mask, expected", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_of_the_umask(mask: int, expected: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "a", "x")
        write_table(tmp_path / "b.csv", pd.DataFrame({"x": [1]}))
        with binary_output(tmp_path / "c") as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert {mode(path) for path in tmp_path.iterdir()} == {expected}


def test_links_are_followed_and_modes_kept(tmp_path: Path) -> None:
    real, link, dangling = tmp_path / "folder" / "real", tmp_path / "link", tmp_path / "dangling"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to("folder/real")
    dangling.symlink_to("folder/new")
    write_text(link, "new")
    write_text(dangling, "made")
    assert link.is_symlink() and dangling.is_symlink()
    assert (real.read_text(), mode(real), (real.parent / "new").read_text()) == ("new", 0o640, "made")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anything")
def test_a_protected_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("kept")
    (tmp_path / "f").chmod(0o444)
    with pytest.raises(OutputError, match="write-protected"):
        write_text(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "kept"


def test_standard_output(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_json("-", {"a": 1})
    with pytest.raises(ZeroDivisionError), text_output("-") as file:
        file.write("half")
        _ = 1 // 0
    assert capfdbinary.readouterr().out == b'{\n  "a": 1\n}\n'
    monkeypatch.setattr("sys.stdout", io.StringIO())
    write_text("-", "text")
    assert not list(tmp_path.iterdir())


def test_compressed_by_its_name(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json.gz", "text\n")
    first = (tmp_path / "a.json.gz").read_bytes()
    write_text(tmp_path / "a.json.gz", "text\n")
    assert gzip.decompress(first) == b"text\n" and (tmp_path / "a.json.gz").read_bytes() == first


def test_no_json_without_a_value(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing written"):
        write_json(tmp_path / "a", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_text(tmp_path / "a", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    texts = ["=1+1", "+SUM(A1)", "-cmd|' /C calc'!A0", "@x", "\t=1", "\r=1", "-1.5e3", "plain"]
    write_table(tmp_path / "t.csv", pd.DataFrame({"=head": texts, "number": [-1.5] * len(texts)}))
    found = pd.read_csv(tmp_path / "t.csv", keep_default_na=False)
    assert list(found.columns) == ["'=head", "number"] and (found["number"] == -1.5).all()
    assert list(found["'=head"])[:4] == ["'=1+1", "'+SUM(A1)", "'-cmd|' /C calc'!A0", "'@x"]
    assert list(found["'=head"])[-2:] == ["-1.5e3", "plain"]
