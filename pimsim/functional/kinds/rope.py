"""Numbers of rotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.functional.rotation import angles, attention_factor

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction


def compute(run: Executor, instruction: Instruction) -> None:
    """Turn every pair by its angle; what does not rotate passes."""
    op, shape = instruction.op, instruction.op.shape
    x = run.input_of(op)[:, shape.offset : shape.offset + shape.heads * shape.head_width]
    heads = x.reshape(len(x), shape.heads, shape.head_width).copy()
    part = heads[..., shape.first : shape.first + shape.rotated]
    turned = angles(shape, [row.position for row in run.rows.rows], run.longest(run.rows))[:, None, :]
    factor = np.float32(attention_factor(shape.positions))
    cosine, sine = run.numerics.cosine(turned) * factor, run.numerics.sine(turned) * factor
    if shape.positions.interleaved:
        one, other = part[..., 0::2], part[..., 1::2]
        part[..., 0::2], part[..., 1::2] = one * cosine - other * sine, other * cosine + one * sine
    else:
        half = shape.rotated // 2
        one, other = part[..., :half], part[..., half:]
        part[..., :half], part[..., half:] = one * cosine - other * sine, other * cosine + one * sine
    run.store(op, heads.reshape(len(x), -1))
