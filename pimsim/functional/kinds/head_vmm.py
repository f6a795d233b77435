"""Numbers of a product with a small matrix for each head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.functional import formats
from pimsim.functional.kinds import vmm

if TYPE_CHECKING:
    from pimsim.functional.bf16 import FloatArray
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Multiply every head's part with its matrix; a product of one chunk is the result."""
    op, shape, count, region = instruction.op, instruction.op.shape, run.rows.count, run.region(instruction.op)
    x = run.input_of(op)
    starts = shape.offset + shape.stride * np.arange(shape.heads)
    parts = np.stack([x[:, start : start + shape.inputs] for start in starts])
    run.run(
        instruction,
        formats.sent_to_values(parts, region, run.vectors_of(count)),
        groups=len(region.layout.chunks) * region.layout.slots * count,
    )
    if len(region.layout.chunks) == 1:
        run.store_product(op, _parts(run, instruction)[0])


def compute(run: Executor, instruction: Instruction) -> None:
    """Add the partial sums."""
    run.store_product(instruction.op, vmm.sum_of_parts(_parts(run, instruction)))


def _parts(run: Executor, instruction: Instruction) -> FloatArray:
    op, shape = instruction.op, instruction.op.shape
    chunks = len(run.region(op).layout.chunks)
    heads = (shape.heads, run.rows.count, 1)
    return formats.context_of(run.results(instruction, "vmm"), chunks, heads, shape.outputs, run.name_of(op.name))
