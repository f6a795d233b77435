"""Numbers of products with constants that differ from part to part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """Every part times its factor."""
    op, shape = instruction.op, instruction.op.shape
    factors = np.repeat(np.array(shape.factors, np.float32), shape.widths)
    run.store_product(op, run.input_of(op)[:, : len(factors)] * factors)
