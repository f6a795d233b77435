"""Scale, cap and position bias of one sequence's scores, and their softmax, in the ASIC."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.asic import functions
from pimsim.config.decoder.positions import RelativeBuckets
from pimsim.program.attention import seen

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = True


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    assert sequence is not None
    return sequence.sequence, seen(section, op.shape, sequence)


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    assert sequence is not None
    shape, tokens = op.shape, seen(section, op.shape, sequence)
    loads = [section.load(op, [op.weight], "sinks")] if shape.sinks else []
    if isinstance(shape.bias, RelativeBuckets):
        loads.append(section.load_named(op, shape.bias_table, "bias"))
    stages = functions.attention_softmax(shape, tokens, section.lowering.device.asic)
    return section.asic(op, (*needs, *loads), stages, shape.heads * sum(tokens), sequence)
