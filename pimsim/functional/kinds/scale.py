"""Numbers of products with a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """Every element times the factor."""
    run.store_product(instruction.op, run.input_of(instruction.op) * np.float32(instruction.op.shape.factor))
