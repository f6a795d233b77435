"""One section of a step while its operations are lowered: instructions so far, and which of them each operation's result is."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from pimsim.asic.work import Stage
from pimsim.mapping.layout import Region, Strip
from pimsim.program import vectors
from pimsim.program.block import Block
from pimsim.program.durations import asic_ps, link_ps
from pimsim.program.instruction import ASIC, LINK, PIM, SECTION_INPUT, SHARED, Instruction
from pimsim.program.kinds import KindLowering, lowering_of
from pimsim.program.rows import SequenceRows, StepRows
from pimsim.workload.graph import GraphSection
from pimsim.workload.model import BYTES_PER_ELEMENT
from pimsim.workload.ops import SECTION_INPUT as INPUT
from pimsim.workload.ops import Op

if TYPE_CHECKING:
    from pimsim.program.lower import Lowering


_MAX_PLANS = 256


class Place(NamedTuple):
    """Where an operation stands in its section: of which sequence, from which position on, what it needs, where its result is."""

    op: Op
    kind: KindLowering
    number: int
    where: str
    at: int
    needs: tuple[int, ...]
    key: Hashable
    result: tuple[int, ...] = ()
    end: int = -1


@dataclass
class SectionLowering:
    """Lowers the operations of ``graph`` for ``rows``. ``loads``: how many rows chose each expert that runs, if several rows choose.

    Operations that work on one sequence at a time and follow one another are lowered sequence by sequence, so that only
    one sequence's scores are held at a time.
    """

    lowering: Lowering
    graph: GraphSection
    rows: StepRows
    found: list[Instruction] = field(default_factory=list)
    done: dict[str, tuple[int, ...]] = field(default_factory=dict)
    loads: tuple[int, ...] = ()

    def lower(self) -> tuple[Instruction, ...]:
        """All instructions. Raises MappingError naming an operation that has no lowering.

        Sections of as many rows of the same sequences mostly have the same instructions at the same places: where each operation
        stood and what it needed is kept, and found out anew only where that has changed.
        """
        plans = self.lowering.plans
        alike = id(self.graph.ops), tuple((one.sequence, one.count) for one in self.rows.sequences)
        if alike not in plans or not all(self._lower(place) for place in plans[alike]):
            if len(plans) >= _MAX_PLANS:
                plans.clear()
            self.found.clear()
            self.done.clear()
            plans[alike] = [self._plan(op, sequence) for op, sequence in self._in_order()]
        return tuple(self.found)

    def _in_order(self) -> Iterator[tuple[Op, int]]:
        """Operations with the number of the sequence among the step's that each works on, -1 for all together."""
        for one_by_one, run in groupby(self.graph.ops, key=lambda op: lowering_of(op).BY_SEQUENCE):
            ops = list(run)
            for number in range(len(self.rows.sequences)) if one_by_one else (-1,):
                for op in ops:
                    yield op, number

    def _plan(self, op: Op, number: int) -> Place:
        """Lower one operation for the first time; where it stands."""
        sequence = self.rows.sequences[number] if number >= 0 else None
        where, at, needs = self.name_of(op.name, sequence), len(self.found), self.needs(op, sequence)
        place = Place(op, lowering_of(op), number, where, at, needs, (id(self.graph.ops), where, at, needs))
        self._lower(place)
        return place._replace(result=self.done[where], end=len(self.found))

    def _lower(self, place: Place) -> bool:
        """Lower one operation at its place; False if what follows must be placed anew. The same work is built once."""
        sequence = self.rows.sequences[place.number] if place.number >= 0 else None
        varies = place.kind.varies(self, place.op, sequence)

        def build() -> tuple[tuple[Instruction, ...], tuple[int, ...]]:
            result = place.kind.lower(self, place.op, place.needs, sequence)
            instructions = tuple(self.found[place.at :])
            del self.found[place.at :]
            return instructions, result if isinstance(result, tuple) else (result,)

        instructions, result = self.lowering.remembered((place.key, varies), build)
        self.found += instructions
        self.done[place.where] = result
        return result == place.result and len(self.found) == place.end

    @staticmethod
    def name_of(name: str, sequence: SequenceRows | None) -> str:
        """Key of an operation's result: of one sequence, where it is lowered by sequence."""
        return name if sequence is None else f"{name}@{sequence.sequence}"

    def needs(self, op: Op, sequence: SequenceRows | None) -> tuple[int, ...]:
        """Positions of the instructions whose results ``op`` reads."""
        found: list[int] = []
        for name in op.needs:
            found += self._results(name, sequence) if name != INPUT else [SECTION_INPUT]
        return tuple(dict.fromkeys(found)) or (SECTION_INPUT,)

    def _results(self, name: str, sequence: SequenceRows | None) -> Iterator[int]:
        if name in self.done:
            yield from self.done[name]
        elif sequence is not None:
            yield from self.done[self.name_of(name, sequence)]
        else:
            for one in self.rows.sequences:
                yield from self.done[self.name_of(name, one)]

    def rows_of_experts(self, chosen: int) -> tuple[int, ...]:
        """How many rows each expert that runs has: one row chooses ``chosen`` of them."""
        return self.loads or (1,) * chosen

    def region(self, op: Op) -> Region:
        """Where the operation's matrix lies in the section's first layer: the layout is the same in all."""
        return self.lowering.placement.regions[self.first_name(op.weight)]

    def first_name(self, name: str) -> str:
        """Full name in the section's first layer."""
        return self.graph.full_name(name, self.graph.layers[0] if self.graph.layers else -1)

    def pim(
        self, op: Op, role: str, needs: tuple[int, ...], region: str, blocks: tuple[Block | None, ...],
        sequence: SequenceRows | None = None, tokens: tuple[int, int] | None = None,
    ) -> int:  # fmt: skip
        """Append PIM work on ``region``; returns its position."""
        number = sequence.sequence if sequence else 0
        self.found.append(Instruction(op, PIM, role, needs, blocks=blocks, region=region, sequence=number, tokens=tokens))
        return len(self.found) - 1

    def asic(
        self, op: Op, needs: tuple[int, ...], stages: list[Stage], buffer_elements: int, sequence: SequenceRows | None = None,
        role: str = "compute",
    ) -> int:  # fmt: skip
        """Append ASIC work; what its operands exceed the SRAM by travels out and back first."""
        device, number = self.lowering.device, sequence.sequence if sequence else 0
        excess = buffer_elements * BYTES_PER_ELEMENT - int(device.asic.sram_kib * 1024)
        behind_link = False
        if excess > 0:
            self.found.append(Instruction(op, LINK, "spill", needs, link_bytes=2 * excess, sequence=number))
            needs = (len(self.found) - 1,)
            behind_link = link_ps(device, 2 * excess) > asic_ps(device, stages)
        self.found.append(Instruction(op, ASIC, role, needs, stages=tuple(stages), behind_link=behind_link, sequence=number))
        return len(self.found) - 1

    def load(self, op: Op, names: list[str], role: str = "load") -> int:
        """Append the read of stored vectors of the layer, end to end; it waits for nothing but the section."""
        return self._load(op, names[0], [self.lowering.placement.strips[self.first_name(name)] for name in names], role)

    def load_named(self, op: Op, name: str, role: str) -> int:
        """Append the read of a stored vector that belongs to no layer."""
        return self._load(op, SHARED + name, [self.lowering.placement.strips[name]], role)

    def state(self, op: Op, name: str, needs: tuple[int, ...], sequence: SequenceRows, write: bool) -> int:
        """Append the read or the write of a sequence's state that lies in DRAM."""
        strip, device = self.lowering.placement.strips[self.first_name(name)], self.lowering.device

        def build(channel: int) -> Block | None:
            return vectors.run_block(device, vectors.strip_runs(strip, channel, 0), write)

        blocks = self.lowering.per_channel(("state", strip.bank, strip.linear, strip.columns, write), build)
        return self.pim(op, "state_write" if write else "state_read", needs, name, blocks, sequence)

    def with_state(
        self, op: Op, name: str, needs: tuple[int, ...], stages: list[Stage], operands: int, sequence: SequenceRows
    ) -> int | tuple[int, ...]:
        """Append ASIC work on a sequence's state: between its read and its write, where it lies in DRAM."""
        if self.first_name(name) not in self.lowering.placement.strips:
            return self.asic(op, needs, stages, operands, sequence)
        read = self.state(op, name, (SECTION_INPUT,), sequence, write=False)
        work = self.asic(op, (*needs, read), stages, operands, sequence)
        return work, self.state(op, name, (work,), sequence, write=True)

    def _load(self, op: Op, region: str, strips: list[Strip], role: str) -> int:
        lowering = self.lowering
        starts = [sum(strip.columns for strip in strips[:i]) for i in range(len(strips))]
        key = ("load", tuple((strip.bank, strip.linear, strip.columns) for strip in strips))

        def build(channel: int) -> Block | None:
            runs = [run for strip, at in zip(strips, starts, strict=True) for run in vectors.strip_runs(strip, channel, at)]
            return vectors.run_block(lowering.device, runs)

        return self.pim(op, role, (SECTION_INPUT,), region, lowering.per_channel(key, build))

    def norm_vectors(self, op: Op) -> tuple[int, ...]:
        """Append the read of a norm's stored scale and shift, as far as it has them."""
        names = [f"{op.weight}.{part}" for part, stored in (("scale", op.shape.scales), ("shift", op.shape.shifts)) if stored]
        return (self.load(op, names),) if names else ()
