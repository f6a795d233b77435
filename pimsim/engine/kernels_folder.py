"""Where compiled kernels are kept: a folder that only this user can write, for machine code from it is executed.

A folder of another user, or one that others can write, is never used; one of ours that was left open to others is emptied
and closed first. Where no such folder can be had, a private one is made for this process and those it starts.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

_KEPT_VERSIONS = 4
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_IS_POSIX = hasattr(os, "geteuid")


def kernel_folder(digest: str) -> Path:
    """A private, writable folder for kernels of this digest; other digests' folders beside it are removed but for a few."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    user = os.geteuid() if _IS_POSIX else 0
    for root in (Path(chosen or home) / "pimsim", Path(tempfile.gettempdir()) / f"pimsim-{user}"):
        folder = root / f"kernels-{digest}"
        try:
            root.parent.mkdir(parents=True, exist_ok=True)
            if not (_private(root, keep=True) and _private(folder, keep=False) and _unmoved_by_others(root)):
                continue
            with tempfile.TemporaryFile(dir=folder):
                pass
            os.utime(folder)
            _forget_old(root, folder)
        except OSError:
            continue
        return folder
    return _private_folder_of_this_run(digest)


def is_private(found: os.stat_result) -> bool:
    """True if what was looked at is this user's and nobody else can write it."""
    return not _IS_POSIX or (found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_WRITE)


def _private(folder: Path, keep: bool) -> bool:
    """Make ``folder`` if need be; false if it is a link, no folder, or another user's.

    One of ours that others can write is closed to them; what is in it is kept only if it is checked by itself (``keep``).
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (_IS_POSIX and found.st_uid != os.geteuid()):
        return False
    if not is_private(found):
        os.chmod(folder, stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)
        if not keep:
            shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
    return True


def _unmoved_by_others(root: Path) -> bool:
    """True if no other user can put a folder of his in the place of ``root`` or of one above it."""
    if not _IS_POSIX:
        return True
    for above in root.resolve().parents:
        found = above.stat()
        if found.st_uid not in (0, os.geteuid()) or (found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX):
            return False
    return True


def _private_folder_of_this_run(digest: str) -> Path:
    """A new folder, removed when this process ends; processes that it starts find it too."""
    base = Path(tempfile.mkdtemp(prefix="pimsim-kernels-"))
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(base, ignore_errors=True) if os.getpid() == owner else None)
    os.environ["NUMBA_CACHE_DIR"] = str(base)
    folder = base / "pimsim" / f"kernels-{digest}"
    folder.parent.mkdir(mode=0o700)
    folder.mkdir(mode=0o700)
    return folder


def _forget_old(root: Path, current: Path) -> None:
    versions = sorted(root.glob("kernels-*"), key=lambda path: path.lstat().st_mtime, reverse=True)
    for path in versions[_KEPT_VERSIONS:]:
        if path != current:
            shutil.rmtree(path, ignore_errors=True)
