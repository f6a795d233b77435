"""Execute step programs: PIM blocks on the machine, ASIC instructions in float32, vectors in between.

Between instructions vectors are BF16; only results of matrix-vector products stay as wide as the accumulators' results.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from pimsim.asic.numerics import Numerics
from pimsim.config.device import Device
from pimsim.functional import formats
from pimsim.functional.bf16 import FloatArray, WordArray, rounded
from pimsim.functional.kinds import action_of
from pimsim.functional.machine import IntArray, PimMachine, Received
from pimsim.mapping.layout import Region
from pimsim.mapping.placement import Placement
from pimsim.mapping.policies import keeps_row_open, policy_named
from pimsim.program.instruction import CHOSEN, Instruction, Section, StepProgram, with_expert
from pimsim.program.rows import SequenceRows, StepRows, rows_of
from pimsim.program.vmm import Vectors, vectors_for
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import SECTION_INPUT, Op


@dataclass(frozen=True, eq=False)
class StepOutput:
    """``tokens`` selected by a step's rows that have logits, and those ``logits`` (rows, vocabulary)."""

    tokens: tuple[int, ...]
    logits: FloatArray

    @property
    def token(self) -> int | None:
        """The last row's token; None for a step without a head."""
        return self.tokens[-1] if self.tokens else None


@dataclass
class Executor:
    """Runs the steps of one model; K, V and states stay in the machine and in ``kept`` from one step to the next.

    ``vectors``: results of operations as (rows, width), of one sequence's scores as (rows, heads, tokens) under its number.
    ``encoder_tokens``: tokens of each sequence's encoder input. ``chosen``: the experts that the latest row chose, by layer. ``least_length``: length that every sequence will reach, for
    rotations that depend on the whole sequence's.
    """

    device: Device
    model: DecoderModel
    placement: Placement
    machine: PimMachine
    numerics: Numerics
    vectors: dict[str | tuple[str, int], FloatArray] = field(default_factory=dict)
    received: dict[tuple[str, str, int], Received] = field(default_factory=dict)
    kept: dict[tuple[str, int], FloatArray] = field(default_factory=dict)
    encoder_tokens: dict[int, int] = field(default_factory=dict)
    chosen: dict[int, tuple[int, ...]] = field(default_factory=dict)
    least_length: int = 0

    def step(self, program: StepProgram) -> StepOutput:
        """Execute one step. Raises MappingError if its commands or addresses do not fit together."""
        self.vectors, self.tokens = {}, ()
        self.rows = self.all_rows = rows_of(program.step)
        self.layer = -1
        logits = np.zeros((0, 0), np.float32)
        if program.step.stack == "encoder":
            self.encoder_tokens.update({one.sequence: one.count for one in self.rows.sequences})
        for section in program.sections:
            self._enter(section)
            for self.layer in section.layers:
                self._run(section)
            if self.tokens:
                logits = self.vectors[section.instructions[-1].op.needs[0]]
        return StepOutput(self.tokens, logits)

    def _enter(self, section: Section) -> None:
        """Make ``section``'s rows the current ones: those that need logits, for a head."""
        self.section = section
        if section.rows == "logits" and self.rows is self.all_rows:
            self.vectors[SECTION_INPUT] = self.vectors[SECTION_INPUT][list(self.rows.logits)]
            self.rows = self.rows.only(self.rows.logits)

    def _run(self, section: Section) -> None:
        self.received = {}
        for instruction in section.instructions:
            action = action_of(instruction)
            if action is not None:
                action(self, instruction)
        self.vectors[SECTION_INPUT] = self.vectors.get(section.instructions[-1].op.name, self.vectors.get(SECTION_INPUT))  # type: ignore[assignment]

    def input_of(self, op: Op, operand: int = 0) -> FloatArray:
        """An operand of an operation, as (rows, width)."""
        return self.vectors[op.needs[operand]]

    def store(self, op: Op, vectors: FloatArray) -> None:
        """Keep an operation's result as the BF16 vectors that the ASIC's memory holds."""
        self.vectors[op.name] = rounded(vectors)

    def store_product(self, op: Op, vectors: FloatArray, sequence: int | None = None) -> None:
        """Keep a matrix product in the width of the accumulators' results; of one sequence under its number."""
        name = op.name if sequence is None else (op.name, sequence)
        self.vectors[name] = rounded(vectors) if self.device.pim.result_dtype == "bf16" else vectors

    def store_rows(self, op: Op, sequence: SequenceRows, vectors: FloatArray, product: bool = True) -> None:
        """Put one sequence's rows of a product, or of what the ASIC made, among those of all."""
        if not product or self.device.pim.result_dtype == "bf16":
            vectors = rounded(vectors)
        whole = self.vectors.get(op.name)
        if whole is None or sequence is self.rows.sequences[0]:
            whole = self.vectors[op.name] = np.zeros((self.rows.count, vectors.shape[1]), np.float32)
        whole[list(sequence.indices)] = vectors

    def sequence(self, instruction: Instruction) -> SequenceRows:
        """The rows of the sequence that an instruction works for."""
        return next(one for one in self.rows.sequences if one.sequence == instruction.sequence)

    def longest(self, rows: StepRows) -> int:
        """Tokens of the longest sequence of the step, this far or as long as it is known to become."""
        return max(self.least_length, *(row.position + 1 for row in rows.rows))

    def name_of(self, name: str) -> str:
        """Full name of what is placed for ``name`` in the layer that runs now."""
        full = self.section.full_name(name, self.layer)
        return with_expert(full, self.chosen[self.layer]) if CHOSEN in full else full

    def region(self, op: Op) -> Region:
        """Where the operation's matrix lies in the layer that runs now."""
        return self.placement.regions[self.name_of(op.weight)]

    def vectors_of(self, count: int) -> Vectors:
        """How ``count`` vectors meet a matrix on this device."""
        return vectors_for(self.device, count, keeps_row_open(policy_named(self.device.spec.mapping)))

    def run(
        self, instruction: Instruction, sent: WordArray | None = None, *, read_columns: int = 0, groups: int = 0,
        lanes: tuple[int, int] | None = None, moved: tuple[tuple[IntArray, IntArray], ...] = (),
    ) -> Received:  # fmt: skip
        """Execute an instruction's blocks and keep what its reads returned until the ASIC asks for it."""
        base_row = self.placement.base_row(self.name_of(instruction.region), instruction.sequence)
        given = {} if sent is None else {"sent": sent}
        received = self.machine.run(
            instruction.blocks, base_row, **given, lanes=lanes, read_columns=read_columns, result_groups=groups, moved=moved
        )
        self.received[instruction.op.name, instruction.role, instruction.sequence] = received
        return received

    def state(self, instruction: Instruction, name: str, shape: tuple[int, ...]) -> FloatArray:
        """A sequence's state as it is in the ASIC's memory, or as it was read from DRAM rows; zeros at the start."""
        op, sequence = instruction.op, instruction.sequence
        if (op.name, "state_read", sequence) in self.received:
            read = formats.vector_of(self.received[op.name, "state_read", sequence], f"{self.name_of(op.name)} (state)")
            return read[: math.prod(shape)].reshape(shape)
        return self.kept.get((self.name_of(name), sequence), np.zeros(shape, np.float32))

    def keep_state(self, instruction: Instruction, name: str, state: FloatArray) -> None:
        """Keep a sequence's new state as BF16."""
        self.kept[self.name_of(name), instruction.sequence] = rounded(state)

    def move_state(self, instruction: Instruction, name: str, elements: int) -> None:
        """Read a sequence's state from its DRAM rows, or write it there."""
        if instruction.role == "state_read":
            self.run(instruction, read_columns=self.placement.geometry.columns_for(elements))
        else:
            kept = self.kept[self.name_of(name), instruction.sequence]
            self.run(instruction, formats.split(kept.ravel(), self.placement.geometry.lanes))

    def results(self, instruction: Instruction, role: str) -> Received:
        """What an earlier instruction of the same operation and sequence returned."""
        return self.received[instruction.op.name, role, instruction.sequence]

    def loaded(self, op: Op, role: str) -> FloatArray:
        """The vector that an earlier instruction of ``op`` read."""
        return formats.vector_of(self.received[op.name, role, 0], f"{self.name_of(op.name)} ({role})")
