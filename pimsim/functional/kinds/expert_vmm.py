"""Numbers of products with chosen experts' matrices, of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.functional import formats
from pimsim.functional.kinds import vmm

if TYPE_CHECKING:
    from pimsim.functional.bf16 import FloatArray
    from pimsim.functional.executor import Executor
    from pimsim.mapping.layout import Region
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Multiply with one chosen expert's matrix; after the last of them a product of one chunk is the result."""
    op, shape, region = instruction.op, instruction.op.shape, _region(run, instruction)
    place = int(instruction.role.removeprefix("vmm"))
    x = run.input_of(op)
    if shape.own_inputs:
        x = x[:, place * shape.inputs : (place + 1) * shape.inputs]
    sent = formats.sent_to_weights(x[:, : shape.inputs], region, run.vectors_of(1))
    run.run(instruction, sent, groups=len(region.layout.chunks) * region.layout.slots)
    if place == shape.chosen - 1 and len(region.layout.chunks) == 1:
        run.store_product(op, _sums(run, instruction, region))


def compute(run: Executor, instruction: Instruction) -> None:
    """Add partial sums."""
    run.store_product(instruction.op, _sums(run, instruction, _region(run, instruction)))


def _region(run: Executor, instruction: Instruction) -> Region:
    return run.placement.regions[run.name_of(f"{instruction.op.weight}.0")]


def _sums(run: Executor, instruction: Instruction, region: Region) -> FloatArray:
    """(1, chosen * outputs), expert after expert."""
    op, shape, chunks = instruction.op, instruction.op.shape, len(region.layout.chunks)
    parts = (
        formats.products_of(run.results(instruction, f"vmm{place}"), chunks, 1, run.name_of(op.name))
        for place in range(shape.chosen)
    )
    return np.concatenate([vmm.sum_of_parts(part)[:, : shape.outputs] for part in parts], -1)
