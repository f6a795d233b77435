"""Weighted sum of the chosen experts' outputs, in the ASIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.asic import experts

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> int:
    return section.rows.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    shape, count = op.shape, section.rows.count
    stages = experts.combine(shape, count, section.lowering.device.asic)
    return section.asic(op, needs, stages, (shape.chosen + int(shape.shared)) * count * shape.width)
