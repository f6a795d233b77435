"""Sum of branches and the residual stream, in the ASIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.asic import functions

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> int:
    return section.rows.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    shape, width = op.shape, section.rows.count * op.shape.width
    stages = functions.sum_of(shape.terms, width, scaled=shape.scale != 1.0)
    return section.asic(op, needs, stages, shape.terms * width)
