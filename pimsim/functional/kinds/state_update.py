"""Numbers of the update and read-out of a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.asic.numerics import Numerics
from pimsim.functional.bf16 import FloatArray, rounded
from pimsim.program.kinds.state_update import stored_vectors
from pimsim.workload.kinds.state_space import StateShape

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Read decays, bias and skip, or move the state."""
    shape, geometry = instruction.op.shape, run.placement.geometry
    if instruction.role != "load":
        run.move_state(instruction, shape.cache, shape.channels * shape.state)
        return
    run.run(instruction, read_columns=sum(geometry.columns_for(size) for size in _sizes(shape)))


def compute(run: Executor, instruction: Instruction) -> None:
    """Update the state by every row in turn and read it out."""
    op, shape, sequence = instruction.op, instruction.op.shape, run.sequence(instruction)
    rows, shared = list(sequence.indices), shape.groups * shape.state
    x, step, b, c = (
        run.input_of(op, k)[rows, first : first + width]
        for k, (first, width) in enumerate(
            (
                (shape.x_offset, shape.channels),
                (shape.step_offset, shape.steps),
                (shape.b_offset, shared),
                (shape.c_offset, shared),
            )
        )
    )
    stored = _stored(run, instruction)
    decay_rate = -run.numerics.exp(stored[0])
    state = run.state(instruction, shape.cache, (shape.channels, shape.state))
    found = []
    for row in range(len(rows)):
        steps = _step(step[row], stored, shape, run.numerics)
        state = rounded(_updated(state, x[row], steps, decay_rate, b[row], shape, run.numerics))
        read = (state * _of_channels(c[row], shape)).sum(1, dtype=np.float32)
        found.append(read + _each_channel(stored[-1], shape) * x[row])
    run.keep_state(instruction, shape.cache, state)
    run.store_rows(op, sequence, np.stack(found), product=False)


def _sizes(shape: StateShape) -> list[int]:
    if shape.variant == "mamba1":
        return [shape.channels * shape.state, shape.channels]
    return [shape.heads, shape.heads, shape.heads]


def _stored(run: Executor, instruction: Instruction) -> list[FloatArray]:
    """The stored vectors in the order in which they were read."""
    op, geometry = instruction.op, run.placement.geometry
    read, at, found = run.loaded(op, "load"), 0, []
    for size, _ in zip(_sizes(op.shape), stored_vectors(op), strict=True):
        found.append(read[at : at + size])
        at += geometry.columns_for(size) * geometry.lanes
    return found


def _step(step: FloatArray, stored: list[FloatArray], shape: StateShape, numerics: Numerics) -> FloatArray:
    """(steps,) positive steps."""
    found = numerics.softplus(step + stored[1] if shape.variant == "mamba2" else step)
    if shape.step_limit is None:
        return found
    low, high = shape.step_limit
    return np.clip(found, np.float32(low), np.float32(high))


def _updated(
    state: FloatArray,
    x: FloatArray,
    steps: FloatArray,
    decay_rate: FloatArray,
    b: FloatArray,
    shape: StateShape,
    numerics: Numerics,
) -> FloatArray:
    """decay x state + step B x."""
    step = _each_channel(steps, shape)
    if shape.variant == "mamba1":
        decay = numerics.exp(step[:, None] * decay_rate.reshape(state.shape))
    else:
        decay = _each_channel(numerics.exp(steps * decay_rate), shape)[:, None]
    return decay * state + (step * x)[:, None] * _of_channels(b, shape)


def _each_channel(values: FloatArray, shape: StateShape) -> FloatArray:
    """(channels,) of values a channel or a head."""
    return np.repeat(values, shape.channels // len(values))


def _of_channels(values: FloatArray, shape: StateShape) -> FloatArray:
    """(channels, state) of B or C, which groups of channels share."""
    return np.repeat(values.reshape(shape.groups, shape.state), shape.channels // shape.groups, 0)
