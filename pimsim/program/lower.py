"""Lower steps to programs: sections of instructions, each kind of layer once, whatever varies with the step built anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from pimsim.config.device import Device
from pimsim.mapping.layout import Region
from pimsim.mapping.placement import Placement
from pimsim.mapping.policies import keeps_row_open, policy_named
from pimsim.program.block import Block
from pimsim.program.instruction import OUTSIDE, Instruction, Section, StepProgram
from pimsim.program.rows import StepRows, rows_of
from pimsim.program.section import Place, SectionLowering
from pimsim.program.vectors import RunBlocks
from pimsim.program.vmm import Vectors, vectors_for
from pimsim.workload.choices import ExpertChoices
from pimsim.workload.graph import GraphSection
from pimsim.workload.model import DecoderModel
from pimsim.workload.step import Step, decoding_step

_KEPT_STEPS = 8  # steps after which what was not used again is forgotten


class Recent:
    """What was built lately, by key; what the last few steps did not use is dropped, so that memory does not grow with tokens."""

    def __init__(self) -> None:
        self._found: dict[Hashable, list] = {}  # type: ignore[type-arg]
        self._step = 0

    def get(self, key: Hashable, build: Callable[[], object]) -> object:
        """What ``key`` stands for, built if it is not there."""
        entry = self._found.get(key)
        if entry is None:
            entry = self._found[key] = [self._step, build()]
        entry[0] = self._step
        return entry[1]

    def next_step(self) -> None:
        """Begin another step."""
        self._step += 1
        if self._step % _KEPT_STEPS == 0:
            oldest = self._step - _KEPT_STEPS
            self._found = {key: entry for key, entry in self._found.items() if entry[0] >= oldest}


@dataclass
class Lowering:
    """Lowers steps of one model on one device; what repeats is built once.

    ``choices``: which experts run, where numbers do not say. ``encoder_tokens``: tokens of each sequence's encoder input, known once its encoder's step was lowered.
    """

    device: Device
    model: DecoderModel
    placement: Placement
    encoder_tokens: dict[int, int] = field(default_factory=dict)
    choices: ExpertChoices = field(default_factory=ExpertChoices)
    recent: Recent = field(default_factory=Recent)
    steps: int = 0

    def __post_init__(self) -> None:
        self.run_blocks = RunBlocks(self.device)
        self.plans: dict[Hashable, list[Place]] = {}

    def program(self, step: Step) -> StepProgram:
        """The program of ``step``. Raises MappingError for an operation that has no lowering."""
        self.recent.next_step()
        self.steps += 1
        rows = rows_of(step)
        if step.stack == "encoder":
            self.encoder_tokens.update({one.sequence: one.count for one in rows.sequences})
        sections: list[Section] = []
        for graph in self.model.sections(step.stack):
            if graph.rows == "all" or step.logits:
                sections += self._sections(graph, rows)
        number = self.steps
        return StepProgram(step, tuple(sections), lambda layer: tuple(self.experts_of(layer, number, rows.count)))

    def step(self, context: int, with_head: bool = True, token_id: int | None = None) -> StepProgram:
        """The program of one token of one sequence at position ``context - 1``."""
        return self.program(decoding_step(context - 1, with_head, token_id))

    def experts_of(self, layer: int, step: int, rows: int) -> dict[int, int]:
        """The experts that run in a layer, those of most rows first, and how many rows chose each."""
        routes = [op.shape for graph in self.model.sections() if layer in graph.layers for op in graph.ops if op.kind == "route"]
        return self.choices.loads(layer, step, rows, routes[0].experts, routes[0].chosen) if routes else {}

    def _sections(self, graph: GraphSection, rows: StepRows) -> list[Section]:
        """The section of ``graph``; one for each layer where several rows choose experts, for they choose others in each."""
        own = rows if graph.rows == "all" or len(rows.logits) == rows.count else rows.only(rows.logits)
        if own.count == 1 or not any(op.kind == "route" for op in graph.ops):
            return [self._section(graph, own, graph.layers or (OUTSIDE,), ())]
        loads = [(layer, tuple(self.experts_of(layer, self.steps, own.count).values())) for layer in graph.layers]
        return [self._section(graph, own, (layer,), counts) for layer, counts in loads]

    def _section(self, graph: GraphSection, rows: StepRows, layers: tuple[int, ...], loads: tuple[int, ...]) -> Section:
        instructions = SectionLowering(self, graph, rows, loads=loads).lower()
        key = ("section", id(graph), layers, tuple(map(id, instructions)))
        return self.recent.get(key, lambda: Section(instructions, layers, graph.prefix, graph.rows, graph.name))  # type: ignore[return-value]

    def per_channel(self, key: Hashable, build: Callable[[int], Block | None]) -> tuple[Block | None, ...]:
        """Blocks of every channel, built once per ``key``."""

        def built() -> tuple[Block | None, ...]:
            found = (build(channel) for channel in range(self.placement.geometry.channels))
            return tuple(block if block is not None and block.bursts else None for block in found)

        return self.blocks(key, built)

    def blocks(self, key: Hashable, build: Callable[[], tuple[Block | None, ...]]) -> tuple[Block | None, ...]:
        """Blocks of all channels, built once per ``key``."""
        return self.recent.get(("blocks", key), build)  # type: ignore[return-value]

    def remembered(self, key: Hashable, build: Callable[[], tuple[tuple[Instruction, ...], tuple[int, ...]]]):  # type: ignore[no-untyped-def]
        """Instructions of one operation at one place, and which of them are its result, lowered once per ``key``."""
        return self.recent.get(("instructions", key), build)

    def vectors(self, count: int) -> Vectors:
        """``count`` vectors that meet a matrix, in the mapping policy's order."""
        return vectors_for(self.device, count, keeps_row_open(policy_named(self.device.spec.mapping)))

    def slots_at_once(self, region: Region, vectors: Vectors) -> int:
        """Local slots whose partial sums fit half of the ASIC's memory; all of them if nothing is partial."""
        chunks = region.layout.chunks
        if len(chunks) == 1:
            return max(1, region.local_slots)
        geometry = region.geometry
        budget = int(self.device.asic.sram_kib * 1024) // 2
        under_way = vectors.count if vectors.row_open else vectors.most_per_pass(max(chunk.columns for chunk in chunks))
        return max(1, budget // (geometry.channels * geometry.banks * self.device.pim.result_bytes * under_way))
