"""Numbers of the write-back of K and V."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.functional import formats
from pimsim.program import vectors

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Write the rows of one sequence: K row by row, V some lanes of a column."""
    op, shape, geometry = instruction.op, instruction.op.shape, run.placement.geometry
    sequence, region = run.sequence(instruction), run.region(instruction.op)
    operand = np.concatenate([run.input_of(op, k) for k in range(len(op.needs))], -1)
    rows = operand[list(sequence.indices), shape.offset : shape.offset + shape.heads * shape.width]
    heads = rows.reshape(-1, shape.heads, shape.width)
    if instruction.tokens is None:
        run.run(instruction, formats.split(heads, geometry.lanes).reshape(-1, geometry.lanes))
        return
    first, end = instruction.tokens
    room = run.placement.tokens[run.name_of(op.weight)]
    row = (first - sequence.kept) % room
    moved = tuple(
        vectors.value_addresses(region, block, first) if block else (np.zeros(0, np.int64),) * 2 for block in instruction.blocks
    )
    lane = first % geometry.lanes
    sent = formats.lanes_of_columns(heads[row : row + end - first], geometry, lane)
    run.run(instruction, sent, lanes=(lane, lane + end - first), moved=moved)
