"""Files that are read: regular ones only, so that no pipe or device makes a run wait for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from pimsim.errors import PimsimError


def expanded(path: str | Path, error: type[PimsimError]) -> Path:
    """``path`` with a leading ``~`` replaced. Raises ``error`` if there is no such user, or if it can be no path at all."""
    try:
        found = Path(path).expanduser()
        os.lstat(found)
    except (RuntimeError, ValueError) as problem:
        raise error(f"{path}: cannot be a path: {problem}") from None
    except OSError:
        pass
    return found


def is_regular(path: Path) -> bool:
    """True for a regular file, or a link to one; False for anything else, also for what cannot be looked at."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def open_regular(path: str | Path, error: type[PimsimError], max_bytes: int | None = None, buffering: int = -1) -> BinaryIO:
    """Open a regular file for reading bytes. Raises ``error`` if it is none, cannot be read, or is larger than ``max_bytes``."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as problem:
        raise error(f"{path}: cannot be read: {getattr(problem, 'strerror', None) or problem}") from None
    found = os.fstat(handle)
    wrong = ""
    if not stat.S_ISREG(found.st_mode):
        wrong = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file but a pipe, socket or device"
    elif max_bytes is not None and found.st_size > max_bytes:
        wrong = f"larger than {max_bytes:,} bytes ({found.st_size:,})"
    if wrong:
        os.close(handle)
        raise error(f"{path}: cannot be read: {wrong}")
    return os.fdopen(handle, "rb", buffering)  # type: ignore[return-value]
