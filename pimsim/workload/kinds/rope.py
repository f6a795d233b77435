"""Rotation of pairs of elements by the position."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.decoder.positions import RotaryPositions
from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class RopeShape:
    """``heads`` heads of ``head_width`` elements of the operand from ``offset`` on; of each, ``rotated`` from element ``first`` on turn.

    ``positions`` says by which angles, and which elements are pairs.
    """

    heads: int
    head_width: int
    rotated: int
    positions: RotaryPositions
    first: int = 0
    offset: int = 0


class Rope(OpKind):
    """Two products and a sum for each element that turns."""

    name, shape = "rope", RopeShape

    def element_work(self, shape: RopeShape, seen: int) -> int:
        return 3 * shape.heads * shape.rotated

    def activations(self, shape: RopeShape, seen: int) -> int:
        return 2 * shape.heads * shape.rotated


KINDS = (Rope(),)
