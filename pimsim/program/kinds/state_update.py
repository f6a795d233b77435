"""Update and read-out of a state, in the ASIC; the state lives there or in DRAM rows, from which it is read and written back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.asic import state_space

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.kinds.state_space import StateShape
    from pimsim.workload.ops import Op

BY_SEQUENCE = True


def stored_vectors(op: Op) -> list[str]:
    """Names of the vectors that the update reads, in order: decays, the bias of steps, the skip."""
    prefix = op.weight.removesuffix("a_log")
    return [op.weight, *([f"{prefix}step_bias"] if op.shape.variant == "mamba2" else []), f"{prefix}d"]


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    assert sequence is not None
    return sequence.sequence, sequence.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int | tuple[int, ...]:
    assert sequence is not None
    shape: StateShape = op.shape
    load = section.load(op, stored_vectors(op))
    stages = state_space.state_update(shape, sequence.count, section.lowering.device.asic)
    operands = sequence.count * (2 * shape.channels + shape.steps + 2 * shape.groups * shape.state)
    return section.with_state(op, shape.cache, (*needs, load), stages, operands, sequence)
