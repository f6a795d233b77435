"""The fast engine: numbers the instructions of steps and runs them over all channels, looking up what it has seen before."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX
from pimsim.engine.kernels_system import refresh_all, run_steps
from pimsim.engine.library import Library, StepArrays, StepTotals
from pimsim.engine.memo import core_of
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.records import records
from pimsim.engine.rule_arrays import IntArray, rule_arrays
from pimsim.engine.state import CHANNEL, CLOCK, WAITING, Work, fresh_channels
from pimsim.errors import BlocksDoNotFitError
from pimsim.program.instruction import StepProgram

BATCH_STEPS = 128
MAX_LABELS = 256
NO_LOG = np.zeros((1, 8), np.int64)


@dataclass(frozen=True)
class StepRecord:
    """One step, instance by instance: start, end and predecessor of every instruction, and every burst's issue."""

    program: StepProgram
    instances: IntArray
    log: IntArray
    start_ps: int


def kernels_are_compiled() -> bool:
    """True if the machine code is there, or not used at all (NUMBA_DISABLE_JIT)."""
    statistics = getattr(run_steps, "stats", None)
    return statistics is None or any(Path(statistics.cache_path).glob("*.nbi"))


@cache
def _say_if_compiling() -> None:
    """Tell whoever watches, once, that the first run on a machine takes longer, and why."""
    if sys.stderr.isatty() and not kernels_are_compiled():
        print("pimsim: compiling its kernels for this machine, once; later runs load them", file=sys.stderr, flush=True)


class FastEngine:
    """Runs step programs one after another, carrying the state of channels and clocks along.

    ``skip=False`` simulates every burst and looks nothing up: the same results, slower.
    """

    def __init__(self, device: Device, skip: bool = True) -> None:
        self.device = device
        self.rules = rule_arrays(device.table, device.organization)
        self.labels: dict[str, int] = {}
        self.totals: list[StepTotals] = []
        self.kernel_s = 0.0
        self._core = core_of(device, skip)
        self._library = Library(device, self._core, self.labels)
        self._work = Work(
            channels=fresh_channels(device.organization.channels),
            before=records(2, CHANNEL),
            log=NO_LOG,
            clock=records(1, CLOCK),
            instances=np.zeros((0, 4), np.int64),
            critical=np.zeros(MAX_LABELS, np.int64),
        )

    @property
    def now_ps(self) -> int:
        """When the last step ended, or until when the engine has been idle since; the next step begins then."""
        return int(self._work.clock[0].now_ps)

    @property
    def open_cycles(self) -> int:
        """Cycles so far, over all channels, in which a channel had a bank open."""
        return int(self._work.channels.open_cycles.sum())

    def step(self, program: StepProgram) -> int:
        """Run one step; returns its time in ps."""
        return int(self.run_batch((program,))[0])

    def idle_until(self, time_ps: int) -> None:
        """Nothing runs until ``time_ps``; refresh goes on. Waiting of the channels since their last command is booked on ``idle``.

        Raises ValueError for a time before ``now_ps``.
        """
        if time_ps < self.now_ps:
            raise ValueError(f"idle_until({time_ps}): the engine is at {self.now_ps} ps already")
        clock, idle = self._work.clock[0], CAUSE_INDEX["idle"]
        self._library.begin()
        clock.now_ps, clock.wait_cause = time_ps, idle
        refresh_all(self._core, self._work.channels, NO_LOG, -(-time_ps // self.device.timing.t_ck_ps), idle)

    def run(self, programs: Iterable[StepProgram], progress: Callable[[int], None] | None = None) -> EngineOutcome:
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

    def run_batch(self, batch: Sequence[StepProgram]) -> IntArray:
        """Run a few steps; returns the time of each in ps. State is carried on to the next batch."""
        began = time.perf_counter()
        _say_if_compiling()
        try:
            steps = self._library.step_arrays(batch, self._work.channels)
        except BlocksDoNotFitError:
            if len(batch) == 1:
                raise
            half = len(batch) // 2
            return np.concatenate([self.run_batch(batch[:half]), self.run_batch(batch[half:])])
        self._make_room(batch)
        step_ps = self._run(steps, len(batch))
        self.totals.append(self._library.totals(steps))
        self.kernel_s += time.perf_counter() - began
        return step_ps

    def _make_room(self, batch: Sequence[StepProgram]) -> None:
        """Have room for the instances of the longest step of a batch."""
        longest = max(sum(len(part.instructions) * len(part.layers) for part in program.sections) for program in batch)
        if longest > len(self._work.instances):
            self._work = self._work._replace(instances=np.zeros((longest, 4), np.int64))

    def _run(self, steps: StepArrays, count: int, log: IntArray = NO_LOG) -> IntArray:
        step_ps = np.zeros(count, np.int64)
        run_steps(self._core, steps, self._work._replace(log=log), step_ps)
        return step_ps

    def record_step(self, program: StepProgram) -> StepRecord:
        """Run one step burst by burst and keep the issue time of each; state is carried on as by ``run_batch``."""
        steps = self._library.step_arrays([program], self._work.channels)
        self._work = self._work._replace(instances=np.zeros((0, 4), np.int64))
        self._make_room([program])
        totals, control, start_ps = self._library.totals(steps), self._core[0].control, self.now_ps
        log = np.zeros((1 + totals.bursts + 2 * self._refresh_commands(steps), 8), np.int64)
        control.skip, skip = 0, control.skip
        self._run(steps, 1, log)
        control.skip = skip
        self.totals.append(totals)
        return StepRecord(program, self._work.instances, log[1 : int(log[0, 0]) + 1], start_ps)

    def _refresh_commands(self, steps: StepArrays) -> int:
        """Commands that refresh will cause in a step, which is run and taken back; each may split a burst of the log in two."""
        changed: tuple[Any, ...] = (self._work.channels, self._work.clock, self._work.critical)
        before = [array.copy() for array in changed]
        self._run(steps, 1)
        found = int((self._work.channels.extra - before[0].extra).sum())
        for array, values in zip(changed, before, strict=True):
            array[:] = values
        return found

    def booked(self) -> IntArray:
        """(channels, 1 + causes + commands): open cycles, cycles by cause, and commands of refresh that are booked so far."""
        channels, commands = self._work.channels, len(self.device.standard.commands)
        parts = (channels.open_cycles[:, None], channels.causes[:, :WAITING], channels.extra[:, :commands])
        return np.concatenate(parts, axis=1)

    def finish(self, step_ps: list[int]) -> EngineOutcome:
        """All counters so far, what is left of every channel's cycles booked as well."""
        channels, clock, totals = self._work.channels, self._work.clock[0], self.totals
        dram_cycles = max(-(-self.now_ps // self.device.timing.t_ck_ps), int(channels.last.max()) + 1)
        causes = channels.causes[:, :WAITING].copy()
        causes[:, clock.wait_cause] += dram_cycles - 1 - channels.last
        extra = channels.extra[:, : len(self.device.standard.commands)].copy()
        return EngineOutcome(
            step_ps=np.array(step_ps, np.int64),
            dram_cycles=dram_cycles,
            causes=causes,
            open_cycles=channels.open_cycles.copy(),
            counts=sum((t.channel_counts for t in totals), extra),
            refresh_counts=extra,
            critical_ps={label: int(self._work.critical[i]) for label, i in self.labels.items()},
            asic_busy_ps=sum(t.asic_busy_ps for t in totals),
            asic_adds=sum(t.asic_adds for t in totals),
            asic_muls=sum(t.asic_muls for t in totals),
            link_bytes=sum(t.link_bytes for t in totals),
            bursts=sum(t.bursts for t in totals),
            shared_columns=sum(t.shared_columns for t in totals),
            simulated_bursts=int(channels.simulated.sum() + self._core[0].memo.simulated),
            kernel_s=self.kernel_s,
        )
