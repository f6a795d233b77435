"""A product with a small matrix for each head, every head meeting its own part of the vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.asic import functions
from pimsim.program import vmm

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> int:
    return section.rows.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int:
    lowering, region, shape = section.lowering, section.region(op), op.shape
    vectors = lowering.vectors(section.rows.count)
    blocks = lowering.blocks(
        ("head_vmm", region.layout, shape.inputs, vectors.count),
        lambda: vmm.context_blocks(lowering.device, region, shape.inputs, shape.heads, vectors),
    )
    product = section.pim(op, "vmm", needs, op.weight, blocks)
    outputs = vectors.count * shape.heads * shape.outputs
    stages = functions.accumulate(outputs, len(region.layout.chunks), bias=False)
    return section.asic(op, (product,), stages, outputs) if stages else product
