"""Numbers of LayerNorm, and what all norms share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.asic.numerics import activated, normed

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Read scale and shift, one after the other."""
    shape, geometry = instruction.op.shape, run.placement.geometry
    run.run(instruction, read_columns=geometry.columns_for(shape.scales) + geometry.columns_for(shape.shifts))


def compute(run: Executor, instruction: Instruction) -> None:
    """Norm every group about its mean, then scale and shift."""
    norm(run, instruction, centred=True)


def norm(run: Executor, instruction: Instruction, centred: bool) -> None:
    """Norm the groups of every row; a gate multiplies the input, or the result."""
    op, shape, rows = instruction.op, instruction.op.shape, run.rows.count
    x = run.input_of(op)[:, shape.offset : shape.offset + shape.width]
    gate = None
    if shape.gated:
        gate = activated(
            run.input_of(op, 1)[:, shape.gate_offset : shape.gate_offset + shape.width], shape.gate_activation, run.numerics
        )
    if gate is not None and not shape.norm_before_gate:
        x = x * gate
    found = normed(x.reshape(rows, shape.groups, -1), shape.epsilon, run.numerics, centred)
    if shape.scales:
        first = run.placement.geometry.columns_for(shape.scales) * run.placement.geometry.lanes
        stored = run.loaded(op, "load")
        scale = stored[: shape.scales] + np.float32(shape.one_plus)
        found = (found.reshape(rows, -1, shape.scales) * scale).reshape(rows, shape.groups, -1)
        if shape.shifts:
            found = (found.reshape(rows, -1, shape.shifts) + stored[first : first + shape.shifts]).reshape(rows, shape.groups, -1)
    found = found.reshape(rows, -1)
    run.store(op, found * gate if gate is not None and shape.norm_before_gate else found)
