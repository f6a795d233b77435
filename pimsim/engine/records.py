"""Records for compiled kernels: named fields, passed as one pointer, the same type for every device."""

from __future__ import annotations

from typing import Any

import numpy as np


def record_type(**fields: Any) -> np.dtype[Any]:
    """A record with the given fields: ``int`` (64 bits), a record type, or a tuple of one of them and the extents of an array."""
    described: list[Any] = []
    for name, kind in fields.items():
        kind, *shape = kind if isinstance(kind, tuple) else (kind,)
        described.append(
            (name, np.int64 if kind is int else kind, tuple(shape)) if shape else (name, np.int64 if kind is int else kind)
        )
    return np.dtype(described, align=True)


def records(count: int, kind: np.dtype[Any]) -> Any:
    """``count`` zeroed records whose fields are attributes; pages that are never touched take no memory."""
    return np.zeros(count, kind).view(np.recarray)
