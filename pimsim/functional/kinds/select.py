"""Numbers of the choice of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """The largest logit of every row."""
    run.tokens = tuple(np.argmax(run.input_of(instruction.op), -1).tolist())
