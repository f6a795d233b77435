"""Numbers of the weighted sum of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """Every expert's output times its weight, and the shared experts' output."""
    op, shape = instruction.op, instruction.op.shape
    outputs = run.input_of(op).reshape(run.rows.count, shape.chosen, shape.width)
    weights = run.input_of(op, 1)
    total = outputs[:, 0] * weights[:, :1]
    for place in range(1, shape.chosen):
        total = total + outputs[:, place] * weights[:, place : place + 1]
    if shape.shared:
        shared = run.input_of(op, 2)
        total = total + (shared * run.numerics.sigmoid(run.input_of(op, 3)[:, :1]) if shape.shared_gate else shared)
    run.store(op, total)
