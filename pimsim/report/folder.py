"""Write a folder of results whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pimsim.errors import ConfigError


def check_folder(target: Path, entries: Collection[str]) -> None:
    """Refuse, before any work, a target that cannot be written, or that holds anything but an earlier result.

    ``entries`` are the names of all files and folders at the top of such a result.
    """
    target = Path(os.path.realpath(target))
    _check_entries(target, entries)
    parent = next(folder for folder in (target.absolute().parent, *target.absolute().parents) if folder.exists())
    try:
        Path(tempfile.mkdtemp(dir=parent)).rmdir()
    except OSError as error:
        raise ConfigError(f"{target}: folder {parent} is not writable: {error.strerror}") from None


def _check_entries(target: Path, entries: Collection[str]) -> None:
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target}: is a file; give the name of a folder")
    others = sorted({entry.name for entry in target.iterdir()} - set(entries)) if target.is_dir() else []
    if others:
        raise ConfigError(f"{target}: holds '{others[0]}', which is no part of an earlier result: not overwritten")


@contextmanager
def whole_folder(target: Path, entries: Collection[str]) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its place at the end, or vanishes if anything fails.

    A ``target`` that holds anything but ``entries`` is refused and left as it is. A link is followed; an earlier folder's mode is kept.
    """
    target = Path(os.path.realpath(target))
    _check_entries(target, entries)
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name}."))
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    try:
        building.rmdir()
        building.mkdir()  # with the mode that the umask gives, where a temporary folder is private
        yield building
        _check_entries(target, entries)
        if target.exists():
            building.chmod(stat.S_IMODE(target.stat().st_mode))
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
