"""Numbers of attention weights times values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.functional import formats
from pimsim.functional.kinds import vmm

if TYPE_CHECKING:
    from pimsim.functional.bf16 import FloatArray
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Multiply one sequence's attention weights with its values; a product of one chunk is the result."""
    op, shape, sequence = instruction.op, instruction.op.shape, run.sequence(instruction)
    region, weights = run.region(op), run.vectors[op.needs[0], sequence.sequence]
    queries = shape.heads // shape.kv_heads
    grouped = weights.reshape(sequence.count, shape.kv_heads, queries, -1).swapaxes(0, 1)
    vectors = run.vectors_of(sequence.count * queries)
    sent = formats.sent_to_values(grouped.reshape(shape.kv_heads, vectors.count, -1), region, vectors)
    parts = formats.used_chunks(region, region.geometry.columns_for(weights.shape[-1]))
    run.run(instruction, sent, groups=parts * region.layout.slots * vectors.count)
    if parts == 1:
        run.store_rows(op, sequence, _parts(run, instruction, 1)[0])


def compute(run: Executor, instruction: Instruction) -> None:
    """Add the partial sums of chunks of tokens."""
    op, sequence = instruction.op, run.sequence(instruction)
    region, weights = run.region(op), run.vectors[op.needs[0], sequence.sequence]
    parts = formats.used_chunks(region, region.geometry.columns_for(weights.shape[-1]))
    run.store_rows(op, sequence, vmm.sum_of_parts(_parts(run, instruction, parts)))


def _parts(run: Executor, instruction: Instruction, parts: int) -> FloatArray:
    op, shape, sequence = instruction.op, instruction.op.shape, run.sequence(instruction)
    heads = (shape.kv_heads, sequence.count, shape.heads // shape.kv_heads)
    return formats.context_of(run.results(instruction, "vmm"), parts, heads, shape.value_width, run.name_of(op.name))
