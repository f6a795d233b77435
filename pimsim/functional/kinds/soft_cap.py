"""Numbers of soft-capping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """cap x tanh(x / cap)."""
    cap = instruction.op.shape.cap
    x = run.input_of(instruction.op)
    run.store_product(instruction.op, np.float32(cap) * run.numerics.tanh(x * np.float32(1 / cap)))
