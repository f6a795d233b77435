"""A function of each gate times a value, in the ASIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.asic import activations

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> int:
    return section.rows.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    width = section.rows.count * op.shape.width
    stages = activations.gated(op.shape, width, section.lowering.device.asic)
    return section.asic(op, needs, stages, 2 * width)
