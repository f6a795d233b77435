"""Compiled kernels are read from a folder of ours alone, and damaged ones are made again."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from pimsim.engine.kernels_folder import kernel_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Environment of a process whose only cache folders lie in the test's folder."""
    for name in ("cache", "tmp"):
        (tmp_path / name).mkdir(mode=0o700)
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}


def compiles(settings: dict[str, str]) -> str:
    """Runs a kernel in a process of its own; its error output."""
    program = (
        "import numba\n"
        "from pimsim.engine.kernels_bf16 import rounded\n"
        "rounded.compile((numba.float32, numba.float32[::1]))\n"
        "print('HITS', sum(rounded.stats.cache_hits.values()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=settings, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


class Planted:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def test_kept_and_used_again(settings: dict[str, str], tmp_path: Path) -> None:
    assert "HITS 0" in compiles(settings)
    assert "HITS 1" in compiles(settings)
    assert (tmp_path / "cache" / "pimsim").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["empty", "truncated", "garbage", "flipped", "planted", "unreadable"])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_files_are_made_again(damage: str, suffix: str, settings: dict[str, str], tmp_path: Path) -> None:
    compiles(settings)
    for path in (tmp_path / "cache").rglob(f"*.{suffix}"):
        content = path.read_bytes()
        middle = len(content) // 2
        path.unlink()
        if damage == "unreadable":
            path.mkdir()
            continue
        path.write_bytes(
            {
                "empty": b"",
                "truncated": content[:middle],
                "garbage": os.urandom(1000),
                "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
                "planted": pickle.dumps(Planted(tmp_path / "executed")),
            }[damage]
        )
    said = compiles(settings)
    assert "HITS 0" in said and "were damaged: they are compiled again" in said and not (tmp_path / "executed").exists()
    if damage != "unreadable":
        assert "HITS 1" in compiles(settings)


def test_a_full_cache_does_not_end_the_run(settings: dict[str, str], tmp_path: Path) -> None:
    for path in (tmp_path / "cache", tmp_path / "tmp"):
        path.chmod(0o500)
    said = compiles({**settings, "TMPDIR": "/tmp"} if os.geteuid() else settings)
    assert "HITS 0" in said


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
class TestFolder:
    """Which folders are taken."""

    @pytest.fixture(autouse=True)
    def _environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def test_open_to_others_is_emptied_and_closed(self, tmp_path: Path) -> None:
        folder = tmp_path / "cache" / "pimsim" / "kernels-d"
        folder.mkdir(parents=True)
        (folder / "planted").touch()
        folder.chmod(0o777)
        assert kernel_folder("d") == folder
        assert folder.stat().st_mode & 0o022 == 0 and not list(folder.iterdir())

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "pimsim").symlink_to(tmp_path / "elsewhere")
        assert kernel_folder("d") == tmp_path / f"pimsim-{os.geteuid()}" / "kernels-d"

    def test_below_a_folder_that_anyone_may_write(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache").chmod(0o777)
        assert kernel_folder("d").parent.parent == tmp_path

    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="needs another user's folder")
    def test_of_another_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
        for folder in (tmp_path / "cache" / "pimsim", tmp_path / "pimsim-0"):
            folder.mkdir(parents=True)
            os.chown(folder, 12345, 12345)
        made = kernel_folder("d")
        assert made.parent.parent.name.startswith("pimsim-kernels-") and made.parent.parent.stat().st_mode & 0o077 == 0
        assert os.environ["NUMBA_CACHE_DIR"] == str(made.parent.parent) and kernel_folder("d") == made
