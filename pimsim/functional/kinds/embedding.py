"""Numbers of the embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.functional.bf16 import FloatArray

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Read the rows of tokens or of positions; tokens alone, unscaled, are the result."""
    op, shape = instruction.op, instruction.op.shape
    run.run(instruction, read_columns=run.rows.count * run.placement.geometry.columns_for(shape.width))
    if not shape.position_table and shape.scale == 1.0:
        run.store(op, _rows(run, instruction, "token"))


def compute(run: Executor, instruction: Instruction) -> None:
    """Scale the tokens' rows and add the positions'."""
    shape = instruction.op.shape
    total = _rows(run, instruction, "token")
    if shape.scale != 1.0:
        total = total * np.float32(shape.scale)
    if shape.position_table:
        total = total + _rows(run, instruction, "position")
    run.store(instruction.op, total)


def _rows(run: Executor, instruction: Instruction, role: str) -> FloatArray:
    return run.loaded(instruction.op, role).reshape(run.rows.count, -1)[:, : instruction.op.shape.width]
