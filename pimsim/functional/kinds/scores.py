"""Numbers of queries times keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.functional import formats
from pimsim.functional.attention import reach

if TYPE_CHECKING:
    from pimsim.functional.bf16 import FloatArray
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def receive(run: Executor, instruction: Instruction) -> None:
    """Multiply the queries of one sequence's rows with its keys."""
    op, shape, sequence = instruction.op, instruction.op.shape, run.sequence(instruction)
    region, tokens = run.region(op), reach(run, op.shape, op.weight, sequence)
    rows = _queries(run, instruction)[list(sequence.indices)]
    queries = shape.heads // shape.kv_heads
    grouped = rows.reshape(-1, shape.kv_heads, queries, shape.key_width).swapaxes(0, 1)
    vectors = run.vectors_of(sequence.count * queries)
    sent = formats.sent_to_keys(grouped.reshape(shape.kv_heads, vectors.count, shape.key_width), region, vectors)
    groups = region.geometry.slots_for(tokens) * shape.kv_heads * vectors.count
    received = run.run(instruction, sent, groups=groups)
    scores = formats.scores_of(received, (shape.kv_heads, sequence.count, queries), tokens, run.name_of(op.name))
    run.store_product(op, scores, sequence.sequence)


def _queries(run: Executor, instruction: Instruction) -> FloatArray:
    """(rows, heads * key_width); of latent attention each head's folded part and then its rotated one."""
    op, shape = instruction.op, instruction.op.shape
    rows = run.input_of(op)
    if not shape.latent:
        return rows[:, shape.offset : shape.offset + shape.heads * shape.key_width]
    rotated = run.input_of(op, 1).reshape(len(rows), shape.heads, -1)[..., shape.value_width - shape.key_width :]
    folded = rows.reshape(len(rows), shape.heads, shape.value_width)
    return np.concatenate([folded, rotated], -1).reshape(len(rows), -1)
