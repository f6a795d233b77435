"""Choice of experts, in the ASIC."""

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
    loads = (section.load(op, [op.weight]),) if shape.router.correction else ()
    stages = experts.route(shape, count, section.lowering.device.asic)
    return section.asic(op, (*needs, *loads), stages, 2 * count * shape.experts)
