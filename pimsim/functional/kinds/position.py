"""Numbers of learned positions that are added to a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Read the rows of the positions."""
    run.run(instruction, read_columns=run.rows.count * run.placement.geometry.columns_for(instruction.op.shape.width))


def compute(run: Executor, instruction: Instruction) -> None:
    """Add them."""
    op = instruction.op
    rows = run.loaded(op, "position").reshape(run.rows.count, -1)[:, : op.shape.width]
    run.store(op, run.input_of(op) + rows)
