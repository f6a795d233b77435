"""Numbers of a product with a stored matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.functional import formats
from pimsim.functional.bf16 import FloatArray

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Read the bias, or multiply all rows with the matrix; a whole product without bias is the result."""
    op, shape, count, geometry = instruction.op, instruction.op.shape, run.rows.count, run.placement.geometry
    if instruction.role == "load":
        run.run(instruction, read_columns=geometry.columns_for(shape.outputs))
        return
    region = run.region(op)
    rows = run.input_of(op)[:, shape.offset : shape.offset + shape.inputs]
    sent = formats.sent_to_weights(rows, region, run.vectors_of(count))
    chunks = len(region.layout.chunks)
    received = run.run(instruction, sent, groups=chunks * region.layout.slots * count)
    if chunks == 1 and not shape.bias:
        run.store_product(op, formats.products_of(received, 1, count, run.name_of(op.name))[0, :, : shape.outputs])


def compute(run: Executor, instruction: Instruction) -> None:
    """Add partial sums and the bias."""
    op, shape = instruction.op, instruction.op.shape
    chunks = len(run.region(op).layout.chunks)
    parts = formats.products_of(run.results(instruction, "vmm"), chunks, run.rows.count, run.name_of(op.name))
    total = sum_of_parts(parts)[:, : shape.outputs]
    run.store_product(op, total + run.loaded(op, "load")[: shape.outputs] if shape.bias else total)


def sum_of_parts(parts: FloatArray) -> FloatArray:
    """The parts added one after another, as the ASIC adds them."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
