"""Queries times kept keys of one sequence: the query heads of a group, of all its rows, are the vectors that meet a K head."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.program import vmm
from pimsim.program.attention import reach

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = True


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    assert sequence is not None
    tokens = reach(section, op.shape, op.weight, sequence)
    return sequence.sequence, sequence.count, section.lowering.placement.geometry.slots_for(tokens)


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    assert sequence is not None
    lowering, region, shape = section.lowering, section.region(op), op.shape
    tokens, columns = reach(section, shape, op.weight, sequence), region.geometry.columns_for(shape.key_width)
    vectors = lowering.vectors(sequence.count * (shape.heads // shape.kv_heads))
    blocks = lowering.blocks(
        ("scores", region.layout, columns, vectors.count, region.geometry.slots_for(tokens)),
        lambda: vmm.score_blocks(lowering.device, region, tokens, columns, vectors),
    )
    return section.pim(op, "vmm", needs, op.weight, blocks, sequence)
