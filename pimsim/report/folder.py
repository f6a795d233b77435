"""Write a folder of results whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pimsim.errors import ConfigError


def check_folder(target: Path, marker: str) -> None:
    """Refuse, before any work, a target that cannot be written, or that holds anything but an earlier result.

    ``marker`` is a file that every such result has.
    """
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target}: is a file; give the name of a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / marker).is_file():
        raise ConfigError(f"{target}: holds files but no {marker}: not an earlier result, and not overwritten")
    parent = next(folder for folder in (target.absolute().parent, *target.absolute().parents) if folder.exists())
    try:
        Path(tempfile.mkdtemp(dir=parent)).rmdir()
    except OSError as error:
        raise ConfigError(f"{target}: folder {parent} is not writable: {error.strerror}") from None


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its place at the end, or vanishes if anything fails."""
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name}."))
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    try:
        umask = os.umask(0)
        os.umask(umask)
        building.chmod(0o777 & ~umask)
        yield building
        _replace(target, building)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _replace(target: Path, building: Path) -> None:
    if not target.exists():
        os.replace(building, target)
        return
    old = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name}.old."))
    os.replace(target, old / "old")
    try:
        os.replace(building, target)
    except OSError:
        os.replace(old / "old", target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
