"""The fast engine: lowers steps in batches, records their blocks, and runs them over all channels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.kernels_batch import prepare_marks, settle_all
from pimsim.engine.kernels_system import NOW, WAIT_CAUSE, finish_channels, run_steps
from pimsim.engine.library import Library, StepTotals, empty_marks
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.rule_arrays import IntArray, rule_arrays
from pimsim.engine.state import BURSTS, FIRST_CAUSE, FIRST_EXTRA, OPEN_CYCLES, Channels, Work, control_of, fresh_channels
from pimsim.program.instruction import StepProgram

BATCH_STEPS = 128
NO_LOG = np.zeros((1, 8), np.int64)


@dataclass(frozen=True)
class StepRecord:
    """One step, instance by instance: start, end and predecessor of every instruction, and every burst's issue."""

    program: StepProgram
    instances: IntArray
    log: IntArray
    start_ps: int


class FastEngine:
    """Runs step programs one after another, carrying the state of channels and clocks along."""

    def __init__(self, device: Device, skip: bool = True) -> None:
        self.device = device
        self.rules = rule_arrays(device.table, device.organization)
        self.control = control_of(device, skip)
        self.channels: Channels = fresh_channels(self.rules, device.organization.channels)
        self.clock = np.zeros(5, np.int64)
        self.labels: dict[str, int] = {}
        self.critical = np.zeros(256, np.int64)
        self.totals: list[StepTotals] = []
        self.kernel_s = 0.0

    def run(self, programs: Iterator[StepProgram], progress: Callable[[int], None] | None = None) -> EngineOutcome:
        """Run all ``programs``; ``progress`` is told the number of finished steps after each batch."""
        step_ps: list[int] = []
        batch: list[StepProgram] = []
        for program in programs:
            batch.append(program)
            if len(batch) == BATCH_STEPS:
                step_ps += self.run_batch(batch).tolist()
                batch = []
                if progress:
                    progress(len(step_ps))
        if batch:
            step_ps += self.run_batch(batch).tolist()
        return self.finish(step_ps)

    def run_batch(self, batch: list[StepProgram], log: IntArray = NO_LOG, instances: IntArray | None = None) -> IntArray:
        """Run a few steps; returns the time of each in ps. State is carried on to the next batch."""
        library = Library(self.device, self.labels)
        steps = library.step_arrays(batch)
        blocks = library.block_arrays()
        if instances is None:
            instances = instance_rows(batch)
        step_ps = np.zeros(len(batch), np.int64)
        scratch = np.zeros((2, self.channels.counters.shape[1]), np.int64)
        work = Work(scratch, log, self.clock, instances, self.critical)
        began = time.perf_counter()
        marks = empty_marks(self.rules, blocks)
        if self.control.skip:
            fresh = fresh_channels(self.rules, 1)
            prepare_marks(self.rules, self.control._replace(refresh_mode=0), blocks, fresh, marks, NO_LOG)
        run_steps(self.rules, self.control, blocks, marks, self.channels, steps, work, step_ps)
        settle_all(self.channels, marks)
        self.kernel_s += time.perf_counter() - began
        self.totals.append(library.totals(steps))
        return step_ps

    def record_step(self, program: StepProgram) -> StepRecord:
        """Run one step burst by burst and keep the issue time of each; state is carried on as by ``run_batch``."""
        start_ps, skip = int(self.clock[NOW]), self.control
        log, instances = np.zeros((self._log_rows(program), 8), np.int64), instance_rows([program])
        self.control = skip._replace(skip=0)
        self.run_batch([program], log, instances)
        self.control = skip
        return StepRecord(program, instances, log[1 : int(log[0, 0]) + 1], start_ps)

    def _log_rows(self, program: StepProgram) -> int:
        """Rows that a log of ``program`` may take: one a burst, and for each command of refresh its own and a split burst's."""
        trial = FastEngine(self.device)
        trial.channels, trial.clock = Channels(*(state.copy() for state in self.channels)), self.clock.copy()
        trial.run_batch([program])
        extra = trial.channels.counters[:, FIRST_EXTRA:].sum() - self.channels.counters[:, FIRST_EXTRA:].sum()
        return 1 + trial.totals[0].bursts + 2 * int(extra)

    def finish(self, step_ps: list[int]) -> EngineOutcome:
        """Book what is left of every channel's cycles and hand over all counters."""
        dram_cycles = int(finish_channels(self.control, self.channels, int(self.clock[NOW]), int(self.clock[WAIT_CAUSE])))
        totals = self.totals
        counters = self.channels.counters
        extra = counters[:, FIRST_EXTRA:].copy()
        return EngineOutcome(
            step_ps=np.array(step_ps, np.int64),
            dram_cycles=dram_cycles,
            causes=counters[:, FIRST_CAUSE:FIRST_EXTRA].copy(),
            open_cycles=counters[:, OPEN_CYCLES].copy(),
            counts=sum((t.channel_counts for t in totals), extra),
            refresh_counts=extra,
            critical_ps={label: int(self.critical[i]) for label, i in self.labels.items()},
            asic_busy_ps=sum(t.asic_busy_ps for t in totals),
            asic_adds=sum(t.asic_adds for t in totals),
            asic_muls=sum(t.asic_muls for t in totals),
            link_bytes=sum(t.link_bytes for t in totals),
            bursts=sum(t.bursts for t in totals),
            shared_columns=sum(t.shared_columns for t in totals),
            simulated_bursts=int(counters[:, BURSTS].sum()),
            kernel_s=self.kernel_s,
        )


def instance_rows(batch: list[StepProgram]) -> IntArray:
    """Room for the instances of the longest step of a batch."""
    longest = max(sum(len(part.instructions) * len(part.layers) for part in program.sections) for program in batch)
    return np.zeros((longest, 4), np.int64)
