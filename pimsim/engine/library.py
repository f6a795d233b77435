"""Blocks and steps of a batch as plain arrays: blocks that no timing rule tells apart are stored and recorded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX
from pimsim.engine.kernels_rules import fresh_channel
from pimsim.engine.kernels_system import FACT_ADDS, FACT_NEEDS, FACTS, KIND_ASIC, KIND_PIM
from pimsim.engine.kernels_timeline import STRIDE
from pimsim.engine.rule_arrays import IntArray, RuleArrays
from pimsim.engine.state import FIRST_EXTRA
from pimsim.program.block import FIELDS, Block
from pimsim.program.durations import asic_ps, link_ps
from pimsim.program.instruction import ASIC, LINK, PIM, WAIT_CAUSES, Instruction, StepProgram


class BlockArrays(NamedTuple):
    """Bursts of all blocks end to end; block ``b`` is ``start[b]:start[b+1]``.

    Columns of ``burst``: command, bank group, bank, repetitions, cause.
    """

    start: IntArray
    burst: IntArray


class Marks(NamedTuple):
    """Recorded states of all blocks; block ``b`` has marks ``first[b]:first[b+1]``, its last one at its end.

    ``scalar`` columns: burst before which the mark stands, cycle of the last issue, cycle from which on nothing is held
    back, last data since the mark before and since the block's start, last issue into closed banks. ``counters`` as in Channels; ``deadline`` and ``history`` relative to the last issue.
    """

    first: IntArray
    scalar: IntArray
    counters: IntArray
    deadline: NDArray[np.int32]
    history: NDArray[np.int32]


class StepArrays(NamedTuple):
    """Instructions of all steps of a batch, each tuple of them once however many sections run it.

    Step ``s`` runs the sections ``first[s]:first[s + 1]``; section ``k`` runs the instructions ``begin[k]:end[k]`` ``times[k]`` times.
    ``facts`` has a row for each instruction and one more: columns as named FACT_*, then the block of each channel or -1.
    ``needs`` of instruction ``i`` lie between FACT_NEEDS of rows ``i`` and ``i + 1``.
    """

    facts: IntArray
    needs: IntArray
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


def empty_marks(rules: RuleArrays, blocks: BlockArrays) -> Marks:
    """Room for the marks of every block."""
    lengths = np.diff(blocks.start)
    early = [power for power in (1, 2, 4, 8, 16, 32) if power < STRIDE]
    sizes = sum((lengths > power).astype(np.int64) for power in early) + -(-lengths // STRIDE) + 1
    one = fresh_channel(rules)
    n = int(sizes.sum())
    return Marks(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.zeros((n, 6), np.int64),
        np.zeros((n, FIRST_EXTRA + len(rules.commands) - 1), np.int64),
        np.zeros((n, *one.deadline.shape), np.int32),
        np.zeros((n, *one.history.shape), np.int32),
    )


@dataclass
class Library:
    """Collects the blocks of a batch of steps, and turns the steps into arrays."""

    device: Device
    labels: dict[str, int]
    blocks: list[Block] = field(default_factory=list)
    _code: dict[Block, int] = field(default_factory=dict)
    _by_timing: dict[bytes, int] = field(default_factory=dict)
    _facts: list[list[int]] = field(default_factory=list)
    _rows: dict[Instruction, int] = field(default_factory=dict)

    def code_of(self, block: Block | None) -> int:
        """Number of a block among those with different timing; -1 for none."""
        if block is None:
            return -1
        if block not in self._code:
            key = block.timing_key()
            if key not in self._by_timing:
                self._by_timing[key] = len(self.blocks)
                self.blocks.append(block)
            self._code[block] = self._by_timing[key]
        return self._code[block]

    def block_arrays(self) -> BlockArrays:
        """All collected blocks end to end."""
        start = np.concatenate([[0], np.cumsum([block.bursts for block in self.blocks])]).astype(np.int64)
        columns = [np.concatenate([getattr(block, name) for block in self.blocks]) for name in FIELDS[:5]]
        return BlockArrays(start, np.stack(columns, axis=1))

    def step_arrays(self, programs: Sequence[StepProgram]) -> StepArrays:
        """All instructions of ``programs`` as arrays."""
        rows: list[int] = []
        needs: list[tuple[int, ...]] = []
        begins: dict[int, int] = {}
        spans: list[tuple[int, int, int]] = []
        first = [0]
        for program in programs:
            for section in program.sections:
                begin = begins.setdefault(id(section.instructions), len(rows))
                if begin == len(rows):
                    rows += [self.fact_row(instruction) for instruction in section.instructions]
                    needs += [instruction.needs for instruction in section.instructions]
                spans.append((begin, begin + len(section.instructions), len(section.layers)))
            first.append(len(spans))
        facts = np.zeros((len(rows) + 1, 1 + len(self._facts[0])), np.int64)
        facts[:-1, FACT_NEEDS + 1 :] = np.array(self._facts, np.int64)[rows]
        facts[1:, FACT_NEEDS] = np.cumsum([len(some) for some in needs])
        flat_needs = np.array([need for some in needs for need in some], np.int64)
        begin, end, times = np.array(spans, np.int64).T.copy()
        return StepArrays(facts, flat_needs, begin, end, times, np.array(first, np.int64))

    def fact_row(self, instruction: Instruction) -> int:
        """Row of ``_facts`` that belongs to an instruction; made once, for many steps share it."""
        if instruction not in self._rows:
            self._rows[instruction] = len(self._facts)
            self._facts.append(self.facts_of(instruction))
        return self._rows[instruction]

    def facts_of(self, instruction: Instruction) -> list[int]:
        """What the kernels need to know of an instruction, but for its needs: columns of ``StepArrays.facts`` from the second on."""
        duration_ps = self.duration_ps(instruction)
        channels = self.device.organization.channels
        blocks = [self.code_of(block) for block in instruction.blocks] or [-1] * channels
        return [
            KIND_PIM if instruction.kind == PIM else KIND_ASIC,
            duration_ps,
            self.labels.setdefault(instruction.label, len(self.labels)),
            CAUSE_INDEX[WAIT_CAUSES[instruction.waits_as]],
            int(blocks[0] >= 0 and len(set(blocks)) == 1),
            sum(stage.adds for stage in instruction.stages),
            sum(stage.muls for stage in instruction.stages),
            duration_ps if instruction.kind == ASIC else 0,
            instruction.link_bytes,
            *blocks,
        ]

    def totals(self, steps: StepArrays) -> StepTotals:
        """Sum over all steps, with every section's repetitions."""
        change = np.zeros(len(steps.facts) + 1, np.int64)
        np.add.at(change, steps.begin, steps.times)
        np.add.at(change, steps.end, -steps.times)
        times = np.cumsum(change[:-1])
        kinds, codes = len(self.device.standard.commands), steps.facts[:, FACTS:]
        of_block = np.array([[*block.counts(kinds), block.bursts, block.shared_columns] for block in self.blocks], np.int64)
        uses = np.zeros((codes.shape[1], len(self.blocks)), np.int64)
        for channel in range(codes.shape[1]):
            used = codes[:, channel] >= 0
            np.add.at(uses[channel], codes[used, channel], times[used])
        counts = uses @ of_block.reshape(-1, kinds + 2)
        adds, muls, busy_ps, link_bytes = (int(total) for total in times @ steps.facts[:, FACT_ADDS:FACTS])
        return StepTotals(
            counts[:, :kinds], int(counts[:, kinds].sum()), int(counts[:, kinds + 1].sum()), adds, muls, busy_ps, link_bytes
        )

    def duration_ps(self, instruction: Instruction) -> int:
        """Time of an ASIC instruction or a link transfer; 0 for PIM, whose time the engine finds."""
        if instruction.kind == PIM:
            return 0
        if instruction.kind == LINK:
            return link_ps(self.device, instruction.link_bytes)
        return asic_ps(self.device, instruction.stages)
