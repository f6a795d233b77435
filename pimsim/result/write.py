"""The one way in which every file is written: whole or not at all, where the user said, as the user's other files are.

A path is followed through links, and ``-`` is the standard output. What is there and is no regular file (a device, a pipe, a
folder) is refused. A new file gets the mode that the umask gives, a replaced one keeps its own. A name that ends in ``.gz``
makes a compressed file.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from pimsim.errors import OutputError
from pimsim.text import shown, table_cell

STDOUT = "-"


@contextlib.contextmanager
def binary_output(path: str | Path) -> Iterator[BinaryIO]:
    """A file of bytes that takes the place of ``path`` when the block ends, and vanishes if it raises. Raises OutputError."""
    if str(path) == STDOUT:
        with _standard_output() as file:
            yield file
        return
    target, mode = _target(path)
    part = target.parent / f".pimsim-{secrets.token_hex(8)}.part"
    with _told(path):
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        with _told(path), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(part, mode)
            os.fsync(file.fileno())
        with _told(path):
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def text_output(path: str | Path) -> Iterator[TextIO]:
    """As ``binary_output``, for text: UTF-8, lines end as they are written, compressed where the name ends in ``.gz``."""
    with binary_output(path) as file:
        packed: Any = gzip.GzipFile("", "wb", 6, file, mtime=0) if str(path).endswith(".gz") else file
        text = io.TextIOWrapper(packed, encoding="utf-8", errors="backslashreplace", newline="")
        try:
            yield text
            text.flush()
        except BaseException:
            if packed is not file:
                packed.fileobj = None  # lest it writes its end when it is forgotten
            raise
        text.detach()
        if packed is not file:
            packed.close()


def write_text(path: str | Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step. Raises OutputError if it cannot be written."""
    with text_output(path) as file:
        file.write(text)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step. Raises OutputError if it cannot be written."""
    with binary_output(path) as file:
        file.write(content)


def write_json(path: str | Path, document: Any) -> None:
    """Replace ``path`` by ``document`` as JSON. Raises OutputError if it cannot be written, or holds what JSON has no word for."""
    try:
        text = json.dumps(document, indent=2, allow_nan=False)
    except ValueError as error:
        raise OutputError(f"{path}: {error}; nothing written") from None
    write_text(path, text + "\n")


def write_table(path: str | Path, frame: Any) -> None:
    """Replace ``path`` by a pandas DataFrame as CSV, in which no text is a formula to a spreadsheet."""
    with text_output(path) as file:
        frame.rename(columns=table_cell).map(table_cell).to_csv(file, index=False, lineterminator="\n")


def check_writable(path: str | Path | None) -> None:
    """Refuse, before any work is done, a path that could not be written afterwards."""
    if path is None or str(path) == STDOUT:
        return
    target, _ = _target(path)
    if not target.parent.is_dir():
        raise OutputError(f"{path}: folder {shown(target.parent, 300)} does not exist")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: folder {shown(target.parent, 300)} is not writable")


def _target(path: str | Path) -> tuple[Path, int | None]:
    """The file behind all links, and its mode if it is there."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return Path(os.path.realpath(path)), None
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(found.st_mode):
        raise OutputError(f"{path}: is a folder, not a file to write to")
    if not stat.S_ISREG(found.st_mode):
        raise OutputError(
            f"{path}: is not a regular file but a pipe, socket or device; give a file, or - for the standard output"
        )
    if not os.access(path, os.W_OK):
        raise OutputError(f"{path}: is write-protected")
    return Path(os.path.realpath(path)), stat.S_IMODE(found.st_mode)


@contextlib.contextmanager
def _told(path: str | Path) -> Iterator[None]:
    """Turn errors of the file system into one message."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """A file that is copied to the standard output when the block ends."""
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        sys.stdout.flush()
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:  # a notebook's, or a test's
            sys.stdout.write(file.read().decode("utf-8", "backslashreplace"))
        else:
            shutil.copyfileobj(file, stream)
            stream.flush()
