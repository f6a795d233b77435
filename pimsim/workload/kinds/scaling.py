"""Products with constants that differ from part to part of a vector."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class PartsScaleShape:
    """Neighbouring parts of ``widths`` elements, each times its factor."""

    widths: tuple[int, ...]
    factors: tuple[float, ...]


class PartsScale(OpKind):
    """Product with a constant for each part."""

    name, shape = "scale_parts", PartsScaleShape

    def element_work(self, shape: PartsScaleShape, seen: int) -> int:
        return sum(shape.widths)

    def activations(self, shape: PartsScaleShape, seen: int) -> int:
        return 2 * sum(shape.widths)


KINDS = (PartsScale(),)
