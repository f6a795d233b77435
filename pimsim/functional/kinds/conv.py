"""Numbers of the short convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.asic.numerics import activated
from pimsim.functional.bf16 import rounded

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Read weights and bias, or move what is kept of the last tokens."""
    shape, geometry = instruction.op.shape, run.placement.geometry
    if instruction.role != "load":
        run.move_state(instruction, shape.cache, shape.channels * shape.taps)
        return
    columns = geometry.columns_for(shape.channels * shape.taps) + (geometry.columns_for(shape.channels) if shape.bias else 0)
    run.run(instruction, read_columns=columns)


def compute(run: Executor, instruction: Instruction) -> None:
    """Sum the last tokens of every channel, token by token."""
    op, shape, sequence = instruction.op, instruction.op.shape, run.sequence(instruction)
    stored, size = run.loaded(op, "load"), shape.channels * shape.taps
    weights = stored[:size].reshape(shape.channels, shape.taps)
    first = run.placement.geometry.columns_for(size) * run.placement.geometry.lanes
    bias = stored[first : first + shape.channels] if shape.bias else np.float32(0)
    state = run.state(instruction, shape.cache, (shape.channels, shape.taps))
    found = []
    for row in run.input_of(op)[list(sequence.indices), shape.offset : shape.offset + shape.channels]:
        state = np.concatenate([state[:, 1:], rounded(row)[:, None]], 1)
        found.append((state * weights).sum(1, dtype=np.float32) + bias)
    run.keep_state(instruction, shape.cache, state)
    run.store_rows(op, sequence, activated(np.stack(found), shape.activation, run.numerics), product=False)
