"""Attention weights times kept values of one sequence; partial sums over chunks of tokens meet in the ASIC."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.asic import functions
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
    return sequence.sequence, sequence.count, section.lowering.placement.geometry.columns_for(tokens)


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    assert sequence is not None
    lowering, region, shape = section.lowering, section.region(op), op.shape
    tokens = reach(section, shape, op.weight, sequence)
    used = region.geometry.columns_for(tokens)
    vectors = lowering.vectors(sequence.count * (shape.heads // shape.kv_heads))
    blocks = lowering.blocks(
        ("context", region.layout, shape.kv_heads, vectors.count, used),
        lambda: vmm.context_blocks(lowering.device, region, tokens, shape.kv_heads, vectors),
    )
    product = section.pim(op, "vmm", needs, op.weight, blocks, sequence)
    parts = sum(chunk.start < used for chunk in region.layout.chunks)
    outputs = sequence.count * shape.heads * shape.value_width
    stages = functions.accumulate(outputs, parts, bias=False)
    return section.asic(op, (product,), stages, parts * outputs, sequence) if stages else product
