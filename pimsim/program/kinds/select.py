"""Choice of the largest logit, in the ASIC."""

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
    count, width = section.rows.count, op.shape.width
    return section.asic(op, needs, functions.select_largest(width, count), count * width)
