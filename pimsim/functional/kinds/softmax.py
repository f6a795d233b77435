"""Numbers of the softmax: scale, cap, position bias, and what each row sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.asic.numerics import softmax
from pimsim.config.decoder.positions import AlibiPositions, RelativeBuckets
from pimsim.functional.attention import alibi_slopes, bucket_of, key_positions, visible
from pimsim.functional.bf16 import FloatArray, rounded

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction
    from pimsim.program.rows import SequenceRows


def receive(run: Executor, instruction: Instruction) -> None:
    """Read stored extra scores or the table of relative positions."""
    op, geometry = instruction.op, run.placement.geometry
    elements = op.shape.heads * (op.shape.bias.buckets if instruction.role == "bias" else 1)
    run.run(instruction, read_columns=geometry.columns_for(elements))


def compute(run: Executor, instruction: Instruction) -> None:
    """Softmax of every row and head over what the row sees; nothing elsewhere."""
    op, sequence = instruction.op, run.sequence(instruction)
    scores = run.vectors[op.needs[0], sequence.sequence]
    seen = visible(run, op.shape, scores.shape[-1], sequence)
    sinks = run.loaded(op, "sinks")[: op.shape.heads] if op.shape.sinks else None
    biased = _biased(run, instruction, scores, sequence)
    found = np.zeros_like(scores)
    for row, columns in enumerate(seen):
        found[row][:, columns] = softmax(biased[row][:, columns], run.numerics, sinks)
    run.vectors[op.name, sequence.sequence] = rounded(found)


def _biased(run: Executor, instruction: Instruction, scores: FloatArray, sequence: SequenceRows) -> FloatArray:
    shape = instruction.op.shape
    bias = _bias(run, instruction, scores.shape[-1], sequence)
    if isinstance(shape.bias, AlibiPositions) and shape.bias.before_scale and bias is not None:
        scores, bias = scores + bias, None
    if shape.scale != 1.0:
        scores = scores * np.float32(shape.scale)
    if shape.soft_cap:
        cap = np.float32(shape.soft_cap)
        scores = cap * run.numerics.tanh(scores * np.float32(1 / shape.soft_cap))
    return scores if bias is None else scores + bias


def _bias(run: Executor, instruction: Instruction, tokens: int, sequence: SequenceRows) -> FloatArray | np.float32 | None:
    """(rows, heads, tokens) to add to the scores."""
    op, shape = instruction.op, instruction.op.shape
    if shape.bias is None:
        return None
    rows = np.array([run.rows.rows[index].position for index in sequence.indices])
    distance = key_positions(run, shape, tokens, sequence)[None, :] - rows[:, None]
    if isinstance(shape.bias, AlibiPositions):
        slopes = alibi_slopes(shape.bias, shape.heads)
        return slopes[None, :, None] * distance[:, None, :].astype(np.float32)
    assert isinstance(shape.bias, RelativeBuckets)
    table = run.loaded(op, "bias")[: shape.heads * shape.bias.buckets].reshape(shape.bias.buckets, shape.heads)
    return table[bucket_of(distance, shape.bias, both_ways=not shape.causal)].transpose(0, 2, 1)
