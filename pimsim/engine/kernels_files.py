"""Files of compiled kernels: each begins with a digest of the rest, and one that is damaged is forgotten and made again.

Numba's own files are pickles that it trusts; an empty or cut one ends every later run, and a flipped bit runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

from pimsim.engine.kernels_folder import is_private

_DIGEST_BYTES = 32
_said: set[str] = set()


class CheckedFiles(IndexDataCacheFile):
    """The index and the machine code of one function."""

    @classmethod
    def instead_of(cls, files: IndexDataCacheFile) -> CheckedFiles:
        """Takes over the names that numba chose."""
        made = cls.__new__(cls)
        made.__dict__.update(files.__dict__)
        return made

    def save(self, key: Any, data: Any) -> None:
        """Keep machine code; where that cannot be written the run goes on without."""
        try:
            super().save(key, data)
        except OSError as error:
            _say(
                f"compiled kernels cannot be kept in {self._cache_path}: {error.strerror or error}; the next run compiles them again"
            )

    def load(self, key: Any) -> Any:
        """Machine code kept earlier; None if there is none or it is damaged."""
        name = self._load_index().get(key)
        return None if name is None else self._unpacked(self._data_path(name))

    def _load_index(self) -> dict[Any, str]:
        found = self._unpacked(self._index_path)
        if not isinstance(found, tuple) or len(found) != 3 or found[:2] != (self._version, self._source_stamp):
            return {}
        overloads: dict[Any, str] = found[2]
        return overloads

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, (self._version, self._source_stamp, overloads))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), data)

    def _write(self, path: str, content: Any) -> None:
        packed = self._dump(content)
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(packed).digest() + packed)

    def _unpacked(self, path: str) -> Any:
        """What a file holds; None if it is not there. A file that is not what was written, or not ours, is removed."""
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(handle, "rb") as file:
                ours, content = is_private(os.fstat(file.fileno())), file.read()
        except FileNotFoundError:
            return None
        except OSError:
            ours, content = False, b""
        if ours and hashlib.sha256(content[_DIGEST_BYTES:]).digest() == content[:_DIGEST_BYTES]:
            with contextlib.suppress(Exception):
                return pickle.loads(content[_DIGEST_BYTES:])
        _say(f"compiled kernels in {self._cache_path} were damaged: they are compiled again")
        with contextlib.suppress(OSError):
            Path(path).unlink()
        return None


def _say(text: str) -> None:
    if text not in _said:
        _said.add(text)
        print(f"pimsim: {text}", file=sys.stderr)
