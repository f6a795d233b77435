"""A stored row of the position, added to a vector that is there."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.asic import functions
from pimsim.program.instruction import SECTION_INPUT
from pimsim.program.kinds.embedding import position_blocks

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    return tuple(row.position for row in section.rows.rows)


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    width = section.rows.count * op.shape.width
    row = section.pim(op, "position", (SECTION_INPUT,), op.shape.position_table, position_blocks(section, op))
    return section.asic(op, (*needs, row), functions.add_vectors(width), 2 * width)
