"""Instructions and blocks by number, and the steps of a batch as arrays of such numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX
from pimsim.engine.kernels_phrases import add_blocks, forget
from pimsim.engine.records import record_type, records
from pimsim.engine.rule_arrays import IntArray
from pimsim.errors import BlocksDoNotFitError
from pimsim.program.block import TIMING_FIELDS, Block, MovedBlock
from pimsim.program.durations import asic_ps, link_ps
from pimsim.program.instruction import ASIC, LINK, PIM, WAIT_CAUSES, Instruction, StepProgram

MAX_KEPT = 5_000  # instructions that are remembered from one batch to the next
INSTRUCTION = record_type(
    pim=int,  # 1 if channels run it, 0 if the ASIC does
    duration_ps=int,  # of ASIC work or a transfer
    label=int,  # what it is called in the critical path
    waits_as=int,  # cause on which waiting for it is booked
    uniform=int,  # 1 if every channel runs the same block
    row=int,  # row of ``StepArrays.blocks``
    first_need=int,  # its needs lie from here in ``StepArrays.needs``
    end_need=int,
    adds=int,
    muls=int,
    asic_ps=int,  # time that the ASIC computes
    link_bytes=int,
    shared_columns=int,  # as ``EngineOutcome`` counts them
)


class StepArrays(NamedTuple):
    """The steps of a batch. Step ``s`` runs the sections ``first[s]:first[s + 1]``; section ``k`` runs the instructions
    ``order[begin[k]:end[k]]`` ``times[k]`` times. ``blocks[row, channel]`` is a block's number, -1 for none.
    """

    instruction: Any
    needs: IntArray
    blocks: IntArray
    order: IntArray
    begin: IntArray
    end: IntArray
    times: IntArray
    first: IntArray


@dataclass(frozen=True, eq=False)
class StepTotals:
    """What steps add up to whatever their timing: commands and bursts per channel, ASIC work, link traffic."""

    channel_counts: IntArray
    bursts: int
    shared_columns: int
    asic_adds: int
    asic_muls: int
    asic_busy_ps: int
    link_bytes: int


class Library:
    """Numbers of all instructions and blocks met so far; blocks that no timing rule tells apart have one number."""

    def __init__(self, device: Device, core: Any, labels: dict[str, int]) -> None:
        self.device, self._core, self._labels = device, core, labels
        self._clear()

    def _clear(self) -> None:
        channels = self.device.organization.channels
        self._instruction_number: dict[Instruction, int] = {}
        self._block_number: dict[Block, int] = {}
        self._row_number: dict[tuple[int, ...], int] = {}
        self._row_of: dict[int, tuple[tuple[Block | None, ...], int]] = {}
        self._needs_at: dict[tuple[int, ...], int] = {}
        self._instructions, self._used = records(256, INSTRUCTION), 0
        self._blocks = np.full((64, channels), -1, np.int64)
        self._needs: list[int] = []
        self._counts = np.zeros((64, len(self.device.standard.commands) + 1), np.int64)

    def step_arrays(self, programs: Sequence[StepProgram], channels: Any) -> StepArrays:
        """All instructions of ``programs`` by number. If there is no more room, all that is known of ``channels`` is found out anew."""
        if self._core[0].memo.full:
            self._begin_anew(channels)
        elif len(self._instruction_number) > MAX_KEPT:
            self._clear()
        if not self._number_blocks(programs):
            self._begin_anew(channels)
            if not self._number_blocks(programs):
                raise BlocksDoNotFitError(
                    f"{self.device.name}: one step has more different bursts of commands than the fast engine keeps at a time: "
                    "feed fewer rows a step (request.prefill_chunk, request.batch, request.encoder_tokens), or --engine reference"
                )
        order: list[int] = []
        begins: dict[int, int] = {}
        spans: list[tuple[int, int, int]] = []
        first = [0]
        for program in programs:
            for section in program.sections:
                begin = begins.setdefault(id(section.instructions), len(order))
                if begin == len(order):
                    order += map(self._number, section.instructions)
                spans.append((begin, begin + len(section.instructions), len(section.layers)))
            first.append(len(spans))
        begin, end, times = np.array(spans, np.int64).T.copy()
        whole = (np.array(order, np.int64), begin, end, times, np.array(first, np.int64))
        return StepArrays(self._instructions, np.array(self._needs or [0], np.int64), self._blocks, *whole)

    def begin(self) -> None:
        """See to it that the fresh state has its number, even before there is any block."""
        if self._core[0].memo.states == 0:
            add_blocks(self._core, np.zeros((0, 5), np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64))

    def _begin_anew(self, channels: Any) -> None:
        forget(self._core, channels)
        self._clear()

    def _number_blocks(self, programs: Sequence[StepProgram]) -> bool:
        """Number the blocks of all instructions that are new; False if there is no room for them."""
        new: dict[Block, None] = {}
        seen: set[int] = set()
        for program in programs:
            for section in program.sections:
                if id(section.instructions) in seen:
                    continue
                seen.add(id(section.instructions))
                for instruction in section.instructions:
                    if instruction.blocks and instruction not in self._instruction_number:
                        known = {_timed(block) for block in instruction.blocks if block is not None}
                        new.update((block, None) for block in known if block not in self._block_number)
        if not new:
            return True
        blocks = list(new)
        start = np.concatenate([[0], np.cumsum([block.bursts for block in blocks])]).astype(np.int64)
        bursts = np.stack([np.concatenate([getattr(block, name) for block in blocks]) for name in TIMING_FIELDS], axis=1)
        numbers = np.zeros(len(blocks), np.int64)
        if not add_blocks(self._core, bursts, start, numbers):
            return False
        self._block_number.update(zip(blocks, numbers.tolist(), strict=True))
        kinds = len(self.device.standard.commands)
        self._counts = _longer(self._counts, int(numbers.max()) + 1)
        for block, number in zip(blocks, numbers.tolist(), strict=True):
            self._counts[number, :kinds], self._counts[number, kinds] = block.counts(kinds), block.bursts
        return True

    def _number(self, instruction: Instruction) -> int:
        number = self._instruction_number.get(instruction)
        if number is None:
            number = self._instruction_number[instruction] = self._used
            self._used += 1
            self._instructions = _longer(self._instructions, self._used)
            self._instructions[number] = self._facts(instruction)
        return number

    def _facts(self, instruction: Instruction) -> tuple[int, ...]:
        """The fields of an INSTRUCTION, in order."""
        duration_ps = self.duration_ps(instruction)
        row = self._row(instruction.blocks) if instruction.blocks else 0
        codes = self._blocks[row].tolist() if instruction.blocks else [-1]
        needs = self._needs_at.setdefault(instruction.needs, len(self._needs))
        if needs == len(self._needs):
            self._needs += instruction.needs
        return (
            int(instruction.kind == PIM),
            duration_ps,
            self._labels.setdefault(instruction.label, len(self._labels)),
            CAUSE_INDEX[WAIT_CAUSES[instruction.waits_as]],
            int(codes[0] >= 0 and len(set(codes)) == 1),
            row,
            needs,
            needs + len(instruction.needs),
            sum(stage.adds for stage in instruction.stages),
            sum(stage.muls for stage in instruction.stages),
            duration_ps if instruction.kind == ASIC else 0,
            instruction.link_bytes,
            sum(block.shared_columns for block in instruction.blocks if block is not None),
        )

    def _row(self, blocks: tuple[Block | None, ...]) -> int:
        """Row of ``blocks`` for an instruction; row 0 is of those that have none."""
        if id(blocks) not in self._row_of:
            self._row_of[id(blocks)] = blocks, self._new_row(blocks)
        return self._row_of[id(blocks)][1]

    def _new_row(self, blocks: tuple[Block | None, ...]) -> int:
        numbers = tuple(-1 if block is None else self._block_number[_timed(block)] for block in blocks)
        if numbers not in self._row_number:
            row = self._row_number[numbers] = len(self._row_number) + 1
            self._blocks = _longer(self._blocks, row + 1)
            self._blocks[row] = numbers
        return self._row_number[numbers]

    def totals(self, steps: StepArrays) -> StepTotals:
        """Sum over all steps, with every section's repetitions."""
        change = np.zeros(len(steps.order) + 1, np.int64)
        np.add.at(change, steps.begin, steps.times)
        np.add.at(change, steps.end, -steps.times)
        facts = steps.instruction
        times = np.bincount(steps.order, np.cumsum(change[:-1]), len(facts)).astype(np.int64)
        kinds, channels = len(self.device.standard.commands), self._blocks.shape[1]
        of_row = np.bincount(facts.row, times * facts.pim, len(self._blocks)).astype(np.int64)
        counts = np.zeros((channels, kinds + 1), np.int64)
        for channel in range(channels):
            used = self._blocks[:, channel]
            uses = np.bincount(used[used >= 0], of_row[used >= 0], len(self._counts)).astype(np.int64)
            counts[channel] = uses @ self._counts
        summed = (facts.shared_columns, facts.adds, facts.muls, facts.asic_ps, facts.link_bytes)
        return StepTotals(counts[:, :kinds], int(counts[:, kinds].sum()), *(int(times @ column) for column in summed))

    def duration_ps(self, instruction: Instruction) -> int:
        """Time of an ASIC instruction or a link transfer; 0 for PIM, whose time the engine finds."""
        if instruction.kind == PIM:
            return 0
        if instruction.kind == LINK:
            return link_ps(self.device, instruction.link_bytes)
        return asic_ps(self.device, instruction.stages)


def _timed(block: Block) -> Block:
    """The block that stands for all that have its commands."""
    return block.like if isinstance(block, MovedBlock) else block


def _longer(rows: Any, least: int) -> Any:
    """``rows`` with room for ``least`` of them: itself, or a copy of twice the length; what is new is 0."""
    if least <= len(rows):
        return rows
    longer = np.zeros((max(least, 2 * len(rows)), *rows.shape[1:]), rows.dtype)
    longer[: len(rows)] = rows
    return longer.view(type(rows))
