"""Counters of an engine, phase by phase: what each added, so that times and energies of the phases sum to the run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from pimsim.engine.fast import FastEngine
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.state import WAITING
from pimsim.program.instruction import StepProgram

MOST_AT_ONCE = 128


@dataclass
class PhasedRun:
    """``outcome`` of the whole run; ``phases``: of each phase, its share of every counter; ``phase_of``: phase of every step."""

    outcome: EngineOutcome
    phases: dict[str, EngineOutcome]
    phase_of: list[str]


@dataclass
class _Added:
    """What steps of one phase have added so far: (channels, open cycles and causes and commands), and sums of totals."""

    counters: np.ndarray
    counts: np.ndarray
    step_ps: list[int] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)


_SUMS = ("asic_busy_ps", "asic_adds", "asic_muls", "link_bytes", "bursts", "shared_columns")


def run_phases(engine: FastEngine, programs: Iterable[tuple[str, StepProgram]]) -> PhasedRun:
    """Run programs in order, each with the phase that it is of."""
    added: dict[str, _Added] = {}
    step_ps: list[int] = []
    phase_of: list[str] = []
    for phase, batch in _batches(programs):
        before = engine.booked()
        times = engine.run_batch(batch).tolist()
        totals = engine.totals[-1]
        mine = added.setdefault(phase, _Added(np.zeros_like(before), np.zeros_like(totals.channel_counts)))
        mine.counters += engine.booked() - before
        mine.counts += totals.channel_counts
        mine.step_ps += times
        for name in _SUMS:
            mine.sums[name] = mine.sums.get(name, 0) + getattr(totals, name)
        step_ps += times
        phase_of += [phase] * len(batch)
    outcome = engine.finish(step_ps)
    return PhasedRun(outcome, _shares(outcome, added), phase_of)


def _batches(programs: Iterable[tuple[str, StepProgram]]) -> Iterator[tuple[str, list[StepProgram]]]:
    """Neighbours of one phase together."""
    current, batch = "", list[StepProgram]()
    for phase, program in programs:
        if batch and (phase != current or len(batch) == MOST_AT_ONCE):
            yield current, batch
            batch = []
        current = phase
        batch.append(program)
    if batch:
        yield current, batch


def _shares(outcome: EngineOutcome, added: dict[str, _Added]) -> dict[str, EngineOutcome]:
    """Each phase's outcome; what the end of the run adds, and rounding of cycles, goes to the last phase."""
    found: dict[str, EngineOutcome] = {}
    left_cycles, left_open, left_causes = outcome.dram_cycles, outcome.open_cycles.copy(), outcome.causes.copy()
    for index, (phase, mine) in enumerate(added.items()):
        last = index == len(added) - 1
        cycles = left_cycles if last else round(outcome.dram_cycles * sum(mine.step_ps) / max(1, outcome.total_ps))
        opened = left_open if last else mine.counters[:, 0]
        causes = left_causes if last else mine.counters[:, 1 : 1 + WAITING]
        extra = mine.counters[:, 1 + WAITING :]
        found[phase] = replace(
            outcome, step_ps=np.array(mine.step_ps, np.int64), dram_cycles=cycles, causes=causes.copy(), open_cycles=opened.copy(),
            counts=mine.counts + extra, refresh_counts=extra.copy(), critical_ps={}, **mine.sums,
        )  # fmt: skip
        left_cycles, left_open, left_causes = left_cycles - cycles, left_open - opened, left_causes - causes
    return found
