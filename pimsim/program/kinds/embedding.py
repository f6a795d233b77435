"""Look-up of every row's token, and of its position where positions are learned; their sum in the ASIC."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.asic import functions
from pimsim.program import vectors
from pimsim.program.block import Block
from pimsim.program.instruction import SECTION_INPUT

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    rows = section.rows.rows
    return tuple(row.token_id for row in rows), tuple(row.position for row in rows) if op.shape.position_table else len(rows)


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    shape, count = op.shape, section.rows.count
    parts = [section.pim(op, "token", (SECTION_INPUT,), op.weight, _token_blocks(section, op))]
    if shape.position_table:
        parts.append(section.pim(op, "position", (SECTION_INPUT,), shape.position_table, position_blocks(section, op)))
    stages = functions.scale(count * shape.width) if shape.scale != 1.0 else []
    if shape.position_table:
        stages = stages + functions.add_vectors(count * shape.width)
    return section.asic(op, tuple(parts), stages, len(parts) * count * shape.width) if stages else parts[0]


def _token_blocks(section: SectionLowering, op: Op) -> tuple[Block | None, ...]:
    lowering, region = section.lowering, section.region(op)
    tokens, width = [row.token_id or 0 for row in section.rows.rows], region.geometry.columns_for(op.shape.width)

    def build(channel: int) -> Block | None:
        runs = [
            run._replace(operand=run.operand + place * width)
            for place, token in enumerate(tokens)
            for run in vectors.row_runs(region, token, channel)
        ]
        return lowering.run_blocks.block(runs)

    return lowering.per_channel(("row", region.layout, tuple(tokens)), build)


def position_blocks(section: SectionLowering, op: Op) -> tuple[Block | None, ...]:
    """The row of every position from its table."""
    lowering, shape = section.lowering, op.shape
    table = lowering.placement.tables[section.first_name(shape.position_table)]
    entries = tuple(row.position + shape.position_offset for row in section.rows.rows)
    return lowering.blocks(("table", table.name, entries), lambda: vectors.table_blocks(lowering.run_blocks, table, entries))
