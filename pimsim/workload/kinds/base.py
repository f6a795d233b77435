"""What every kind of operation declares, once, for all devices: work and traffic of one row, as functions of its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class OpKind(ABC):
    """A kind of operation. ``seen`` is the number of positions that a row attends to here (see ``positions_seen``).

    Counts are elements and operations of one row, but for ``weights``, which a step reads once for all its rows. Bytes follow from
    the formats of tensors and caches.
    """

    name: str
    shape: type

    def macs(self, shape: Any, seen: int) -> int:
        """Multiply-accumulates, without padding."""
        return 0

    @abstractmethod
    def element_work(self, shape: Any, seen: int) -> int:
        """Floating-point operations besides the multiply-accumulates: an estimate, small beside matrix products."""

    def weights(self, shape: Any) -> int:
        """Stored parameters read."""
        return 0

    def cache_reads(self, shape: Any, seen: int) -> int:
        """Elements of K, V or state read."""
        return 0

    def cache_writes(self, shape: Any, seen: int) -> int:
        """Elements of K, V or state written."""
        return 0

    def state_elements(self, shape: Any) -> int:
        """Elements of a sequence's state that are read and written, whatever the length; a pass over many tokens does it once."""
        return 0

    def weights_of_rows(self, shape: Any, rows: int) -> float:
        """Stored parameters that a step of ``rows`` rows reads: those of one, but where rows choose."""
        return self.weights(shape)

    @abstractmethod
    def activations(self, shape: Any, seen: int) -> int:
        """Elements read from and written for neighbouring operations; attention scores stay where they are made."""


def positions_seen(shape: Any, context: int, encoder: int = 0) -> int:
    """Positions that an operation of ``shape`` sees for a row with ``context`` positions (its own included) and an encoder's."""
    if getattr(shape, "of_encoder", False):
        return encoder
    window = getattr(shape, "window", None)
    return context if window is None else min(context, window)
