"""Read a safetensors file lazily: header first, checked against the file's size, then one tensor at a time.

Format: 8 bytes with the header's length (little-endian), a JSON header of name -> dtype, shape and byte range, the data.
Source: the safetensors format description (huggingface/safetensors, README).
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

from pimsim.errors import WeightsError
from pimsim.files import open_regular

DTYPES: dict[str, Any] = {
    "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype(ml_dtypes.bfloat16), "F64": np.dtype("<f8"),
}  # fmt: skip
HEADER_LIMIT = 100_000_000
_PREFIX = 8


@dataclass(frozen=True)
class Entry:
    """A tensor in the file: its dtype's name, shape, and bytes from ``begin`` to ``end`` of the whole file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class SafetensorsFile:
    """The tensors of one file. ``entries`` by name; data are read only when a tensor is asked for."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with open_regular(self.path, WeightsError) as file:
                self.size = os.fstat(file.fileno()).st_size
                header, data_start = self._header(file)
        except OSError as error:
            raise WeightsError(f"{self.path}: cannot be read: {error.strerror}") from None
        self.entries = {name: self._entry(name, raw, data_start) for name, raw in header.items() if name != "__metadata__"}

    def read(self, name: str, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """A tensor as ``dtype``. Raises WeightsError if it is stored as none of ``DTYPES`` or a number is not finite."""
        entry = self.entries[name]
        if entry.dtype not in DTYPES:
            raise self._error(name, f"dtype {entry.dtype} cannot be used; allowed: {', '.join(DTYPES)}")
        stored = DTYPES[entry.dtype]
        expected = math.prod(entry.shape) * stored.itemsize
        if entry.end - entry.begin != expected:
            raise self._error(
                name, f"takes {entry.end - entry.begin} B; {entry.dtype} {list(entry.shape)} needs {expected} B"
            )  # fmt: skip
        try:
            raw = np.fromfile(self.path, np.uint8, expected, offset=entry.begin)
        except OSError as error:
            raise self._error(name, f"cannot be read: {error.strerror}") from None
        if len(raw) != expected:
            raise self._error(name, f"is cut off: {len(raw)} of {expected} B are left")
        with np.errstate(over="ignore"):
            values = raw.view(stored).reshape(entry.shape).astype(dtype)
        wrong = values.size - int(np.count_nonzero(np.isfinite(values)))
        if wrong:
            first = np.unravel_index(int(np.argmin(np.isfinite(values))), entry.shape)
            raise self._error(
                name, f"{wrong} of {values.size} numbers are NaN or infinite, the first at {[int(i) for i in first]}"
            )
        return values

    def _header(self, file: Any) -> tuple[dict[str, Any], int]:
        length = int.from_bytes(file.read(_PREFIX), "little")
        if self.size < _PREFIX or not 2 <= length <= min(HEADER_LIMIT, self.size - _PREFIX):
            raise WeightsError(f"{self.path}: is not a whole safetensors file: {self.size} B with a header of {length} B")
        try:
            header = json.loads(file.read(length), object_pairs_hook=self._without_duplicates)
        except (ValueError, RecursionError) as error:
            raise WeightsError(f"{self.path}: the header is not valid JSON: {error}") from None
        if not isinstance(header, dict):
            raise WeightsError(f"{self.path}: the header is not a table of tensors")
        return header, _PREFIX + length

    def _without_duplicates(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise WeightsError(f"{self.path}: '{name}' is in the header twice")
            found[name] = value
        return found

    def _entry(self, name: str, raw: Any, data_start: int) -> Entry:
        try:
            shape, (begin, end) = tuple(raw["shape"]), raw["data_offsets"]
            entry = Entry(str(raw["dtype"]), shape, data_start + begin, data_start + end)
            whole = all(type(n) is int and n >= 0 for n in (*shape, begin, end)) and begin <= end
        except (TypeError, KeyError, ValueError):
            whole = False
        if not whole:
            raise self._error(name, "its header entry is damaged: dtype, shape and data_offsets are needed")
        if entry.end > self.size:
            raise self._error(name, f"is cut off: its data end at byte {entry.end}, the file at {self.size}")
        return entry

    def _error(self, name: str, text: str) -> WeightsError:
        return WeightsError(f"{self.path}: tensor '{name}': {text}")
