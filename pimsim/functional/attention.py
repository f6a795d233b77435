"""Which kept tokens a row attends to, and what their distances add to its scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pimsim.config.decoder.positions import AlibiPositions, RelativeBuckets
from pimsim.functional.bf16 import FloatArray, rounded
from pimsim.program.rows import SequenceRows
from pimsim.workload.kinds.attention import AttentionShape

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor

IntArray = NDArray[np.int64]


def reach(run: Executor, shape: AttentionShape, kept: str, sequence: SequenceRows) -> int:
    """Tokens of K and V that hold something."""
    if shape.of_encoder:
        return run.encoder_tokens[sequence.sequence]
    return min(sequence.reach, run.placement.tokens[run.name_of(kept)])


def token_in(place: IntArray, room: int, reached: int) -> IntArray:
    """Which token of the sequence each place of a ring of ``room`` holds once ``reached`` tokens were written."""
    return np.where(reached <= room, place, reached - 1 - (reached - 1 - place) % room)


def tokens_held(tokens: int, shape: AttentionShape, sequence: SequenceRows) -> IntArray:
    """The sequence's token in each of the first ``tokens`` places of K and V."""
    reached = tokens if shape.of_encoder else sequence.reach
    return token_in(np.arange(tokens), tokens, reached)


def key_positions(run: Executor, shape: AttentionShape, tokens: int, sequence: SequenceRows) -> IntArray:
    """Position of the token in each place; kept tokens stand at their number, rows of the step where they say."""
    held = tokens_held(tokens, shape, sequence)
    if shape.of_encoder:
        return held
    own = np.array([run.rows.rows[index].position for index in sequence.indices])
    inside = held - sequence.kept
    return np.where(inside < 0, held, own[np.maximum(inside, 0)])


def visible(run: Executor, shape: AttentionShape, tokens: int, sequence: SequenceRows) -> list[IntArray]:
    """Places that each row of a sequence attends to."""
    if shape.of_encoder:
        return [np.arange(tokens)] * sequence.count
    inside = tokens_held(tokens, shape, sequence) - sequence.kept
    positions = key_positions(run, shape, tokens, sequence)
    found = []
    for j, index in enumerate(sequence.indices):
        row = run.rows.rows[index]
        if not shape.causal:
            seen = np.ones(tokens, np.bool_)
        elif row.ancestors is None:
            seen = inside <= j
        else:
            family = {sequence.indices.index(ancestor) for ancestor in row.ancestors} | {j}
            seen = (inside < 0) | np.isin(inside, list(family))
        if shape.window is not None:
            seen = seen & (positions > row.position - shape.window)
        found.append(np.flatnonzero(seen))
    return found


def alibi_slopes(alibi: AlibiPositions, heads: int) -> FloatArray:
    """Slope of each head: powers of two in equal steps for powers of two, else as the model's authors fill up."""
    if alibi.slopes == "odd_first_from_above":
        power = 1 << (heads - 1).bit_length()
        whole = _powers(alibi.bias_max, power)
        slopes = whole if power == heads else np.concatenate([whole[1::2], whole[::2]])[:heads]
    else:
        power = 1 << (heads.bit_length() - 1)
        between = _powers(alibi.bias_max, 2 * power)[::2]
        slopes = np.concatenate([_powers(alibi.bias_max, power), between])[:heads]
    return rounded(slopes) if alibi.bf16_slopes else slopes


def _powers(bias_max: float, count: int) -> FloatArray:
    return (2.0 ** (-bias_max * np.arange(1, count + 1) / count)).astype(np.float32)


def bucket_of(distance: IntArray, buckets: RelativeBuckets, both_ways: bool) -> IntArray:
    """Bucket of key position minus query position: single distances first, then logarithmic up to the last."""
    count = buckets.buckets // 2 if both_ways else buckets.buckets
    ahead = count * (distance > 0) if both_ways else 0
    far = np.abs(distance) if both_ways else np.maximum(-distance, 0)
    single = count // 2
    scaled = np.log(np.maximum(far, 1) / single) / math.log(buckets.max_distance / single) * (count - single)
    grown = np.minimum(single + scaled.astype(np.int64), count - 1)
    return ahead + np.where(far < single, far, grown)
