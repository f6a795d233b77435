"""Numbers of activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.asic.numerics import activated

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """A function of every element."""
    op, shape = instruction.op, instruction.op.shape
    x = run.input_of(op)[:, shape.offset : shape.offset + shape.width]
    run.store(op, activated(x, shape.function, run.numerics))
