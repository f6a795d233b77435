"""Rotation of queries or keys in the ASIC: angles from the position, sine and cosine by series, then pairs turned."""

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
    shape, count = op.shape, section.rows.count
    stages = functions.rotation(shape, count, section.lowering.device.asic)
    return section.asic(op, needs, stages, count * shape.heads * shape.head_width)
