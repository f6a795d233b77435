"""Products with the matrices of the experts that were chosen: only those run, each for the rows that chose it.

Which experts these are does not matter to time, only how many rows each has: an instruction works on the i-th chosen expert,
and the step's choice says which matrix that is.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from pimsim.asic import functions
from pimsim.errors import MappingError
from pimsim.program import vmm
from pimsim.program.instruction import CHOSEN

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = False


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    return section.rows_of_experts(op.shape.chosen)


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int | tuple[int, ...]:
    lowering, shape = section.lowering, op.shape
    if shape.bias:
        raise MappingError(f"{op.name}: experts with biases cannot be lowered to PIM")
    region = lowering.placement.regions[section.first_name(f"{op.weight}.0")]
    products = []
    for place, count in enumerate(section.rows_of_experts(shape.chosen)):
        vectors = lowering.vectors(count)
        at_once = lowering.slots_at_once(region, vectors)
        blocks = lowering.blocks(
            ("vmm", region.layout, count), partial(vmm.weight_blocks, lowering.device, region, at_once, vectors)
        )
        products.append(section.pim(op, f"vmm{place}", needs, f"{op.weight}.{CHOSEN}{place}", blocks))
    outputs = section.rows.count * shape.chosen * shape.outputs
    stages = functions.accumulate(outputs, len(region.layout.chunks), bias=False)
    return section.asic(op, tuple(products), stages, outputs) if stages else tuple(products)
