"""Short convolution of a state space, in the ASIC; what it keeps of the last tokens lives there or in DRAM rows."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.asic import state_space

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = True


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    assert sequence is not None
    return sequence.sequence, sequence.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int | tuple[int, ...]:
    assert sequence is not None
    shape, count = op.shape, sequence.count
    load = section.load(op, [op.weight, f"{op.weight}.bias"] if shape.bias else [op.weight])
    stages = state_space.convolution(shape, count, section.lowering.device.asic)
    operands = (2 * count + shape.taps + int(shape.bias)) * shape.channels
    return section.with_state(op, shape.cache, (*needs, load), stages, operands, sequence)
