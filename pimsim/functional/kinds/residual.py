"""Numbers of residual sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """Branches, scaled if the model scales them, plus the stream, which comes last."""
    op, scale = instruction.op, np.float32(instruction.op.shape.scale)
    *branches, stream = (run.vectors[name] for name in op.needs)
    total = None
    for branch in branches:
        part = branch if scale == 1 else branch * scale
        total = part if total is None else total + part
    run.store(op, stream if total is None else total + stream)
