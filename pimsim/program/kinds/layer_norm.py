"""LayerNorm: stored scale and shift are read, the ASIC does the rest."""

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
    loads = section.norm_vectors(op)
    stages = functions.norm(shape, count, section.lowering.device.asic, centred=True)
    return section.asic(op, (*needs, *loads), stages, functions.norm_operands(shape, count))
