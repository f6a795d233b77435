"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pimsim.errors import ConfigError


def write_text(path: str | Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step. Raises ConfigError if the folder is missing or not writable."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step. Raises ConfigError if the folder is missing or not writable."""
    target = Path(path)
    if target.is_dir():
        raise ConfigError(f"{target}: is a folder, not a file to write to")
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None


def check_writable(path: str | Path | None) -> None:
    """Refuse, before any work is done, a path that could not be written afterwards."""
    if path is None:
        return
    target = Path(path)
    if target.is_dir():
        raise ConfigError(f"{target}: is a folder, not a file to write to")
    if not target.parent.is_dir():
        raise ConfigError(f"{target}: folder {target.parent} does not exist")
    if not os.access(target.parent, os.W_OK):
        raise ConfigError(f"{target}: folder {target.parent} is not writable")
