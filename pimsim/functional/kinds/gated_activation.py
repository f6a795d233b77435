"""Numbers of gated products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.functional.gates import gated

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """A function of every gate, times its value."""
    op, shape = instruction.op, instruction.op.shape
    gate = run.input_of(op)[:, shape.gate_offset : shape.gate_offset + shape.width]
    value = run.input_of(op, -1)[:, shape.value_offset : shape.value_offset + shape.width]
    run.store(op, gated(gate, value, shape, run.numerics))
