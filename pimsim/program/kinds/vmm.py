"""A product with a stored matrix: all rows of the step meet it, partial sums and bias meet in the ASIC."""

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
    lowering, count, region, shape = section.lowering, section.rows.count, section.region(op), op.shape
    bias = (section.load(op, [f"{op.weight}.bias"]),) if shape.bias else ()
    vectors = lowering.vectors(count)
    at_once = lowering.slots_at_once(region, vectors)
    blocks = lowering.blocks(
        ("vmm", region.layout, count),
        lambda: vmm.weight_blocks(lowering.device, region, at_once, vectors),
    )
    product = section.pim(op, "vmm", needs, op.weight, blocks)
    stages = functions.accumulate(count * shape.outputs, len(region.layout.chunks), shape.bias)
    if not stages:
        return product
    return section.asic(op, (product, *bias), stages, count * shape.outputs)
