"""What scores, softmax and context of one sequence have in common: how far its K and V reach, and what its rows see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.workload.kinds.attention import AttentionShape

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering


def reach(section: SectionLowering, shape: AttentionShape, kept: str, sequence: SequenceRows) -> int:
    """Tokens of K and V that hold something: an encoder's, or the sequence's own as far as there is room for them."""
    if shape.of_encoder:
        return section.lowering.encoder_tokens[sequence.sequence]
    return min(sequence.reach, section.lowering.placement.tokens[section.first_name(kept)])


def seen(section: SectionLowering, shape: AttentionShape, sequence: SequenceRows) -> tuple[int, ...]:
    """Positions that each row attends to."""
    if shape.of_encoder:
        return (section.lowering.encoder_tokens[sequence.sequence],) * sequence.count
    if not shape.causal:
        return (sequence.reach,) * sequence.count
    return sequence.sees if shape.window is None else tuple(min(sees, shape.window) for sees in sequence.sees)
