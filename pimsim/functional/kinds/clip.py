"""Numbers of clipping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """Every element kept within the bound."""
    bound = np.float32(instruction.op.shape.bound)
    run.store_product(instruction.op, np.clip(run.input_of(instruction.op), -bound, bound))
