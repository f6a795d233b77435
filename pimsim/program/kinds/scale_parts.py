"""Products with constants that differ from part to part, in the ASIC."""

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
    width = section.rows.count * sum(op.shape.widths)
    return section.asic(op, needs, functions.scale(width), width)
