"""The reference engine: the timing model written to be read, as SimPy processes with integer time in ps.

One process for each channel's controller (``reference_channel``), one for the ASIC, and a front end that hands out the
instructions of each step in program order. It shares the declarative rules and the programs with the fast engine, and no
timing code. Equal times are unordered: the order in which processes are created changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import simpy

from pimsim.asic.work import cycles
from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.reference_channel import ChannelController, Issued, Pause
from pimsim.engine.reference_instruction import Process, Running, waiting_cause
from pimsim.program.instruction import ASIC, LINK, PIM, SECTION_INPUT, Instruction, StepProgram
from pimsim.units import BITS_PER_BYTE, PS_PER_NS, ceil_exact, ps_to_edge


class Step(NamedTuple):
    """One step of the run: when it began, how long it took, and its instructions in program order."""

    start_ps: int
    time_ps: int
    instructions: list[Running]


class ReferenceEngine:
    """Runs step programs one after another, carrying all state along; ``commands`` is the log if ``keep_log``.

    ``order``: permutation of the units (channels, then the ASIC) in which their processes are created and fed.
    """

    def __init__(self, device: Device, keep_log: bool = False, order: Sequence[int] | None = None) -> None:
        self.device = device
        self.steps: list[Step] = []
        self._env = simpy.Environment()
        self._now_ps, self._step_cause = 0, CAUSE_INDEX["idle"]
        channels = device.organization.channels
        self._channels = [ChannelController(self._env, device, index, keep_log) for index in range(channels)]
        self._asic_queue = simpy.Store(self._env)
        self._order = list(range(channels + 1)) if order is None else list(order)
        self._numbered = 0
        self._asic_busy_ps = self._asic_adds = self._asic_muls = self._link_bytes = 0
        self._shared_columns = 0
        self._wall_s = 0.0
        for unit in self._order:
            self._env.process(self._run_asic() if unit == channels else self._channels[unit].run())

    def run(self, programs: Iterable[StepProgram], progress: Callable[[int], None] | None = None) -> EngineOutcome:
        """Run all ``programs``; ``progress`` is told the number of finished steps after each."""
        step_ps: list[int] = []
        for program in programs:
            step_ps += self.run_batch([program]).tolist()
            if progress:
                progress(len(step_ps))
        return self.finish(step_ps)

    @property
    def now_ps(self) -> int:
        """When the last step ended, or until when the engine has been idle since; the next step begins then."""
        return self._now_ps

    def step(self, program: StepProgram) -> int:
        """Run one step; returns its time in ps."""
        return int(self.run_batch((program,))[0])

    def idle_until(self, time_ps: int) -> None:
        """Nothing runs until ``time_ps``; refresh goes on. Waiting of the channels since their last command is booked on ``idle``.

        Raises ValueError for a time before ``now_ps``.
        """
        if time_ps < self._now_ps:
            raise ValueError(f"idle_until({time_ps}): the engine is at {self._now_ps} ps already")
        self._step_cause = CAUSE_INDEX["idle"]
        for channel in self._channels:
            channel.queue.put(Pause(ps_to_edge(time_ps, self.device.timing.t_ck_ps), self._step_cause))
        if time_ps > self._now_ps:
            self._env.run(until=time_ps)
        self._now_ps = time_ps

    def run_batch(self, batch: Sequence[StepProgram]) -> np.ndarray:
        """Run a few steps; returns the time of each in ps. Commands that nothing waits for may still be under way."""
        began = time.perf_counter()
        first = len(self.steps)
        self._env.run(until=self._env.process(self._front_end(batch)))
        self._wall_s += time.perf_counter() - began
        return np.array([step.time_ps for step in self.steps[first:]], np.int64)

    def commands(self) -> list[list[Issued]]:
        """Every command of each channel in issue order, once all of them have issued; needs ``keep_log``."""
        self._env.run()
        return [channel.log or [] for channel in self._channels]

    def finish(self, step_ps: Sequence[int]) -> EngineOutcome:
        """Let the last commands issue, book what is left of every channel's cycles, hand over all counters."""
        self._env.run()
        channels = self._channels
        end = max(ps_to_edge(self._now_ps, self.device.timing.t_ck_ps), *(channel.last_cycle + 1 for channel in channels))
        for channel in channels:
            channel.finish(end, self._step_cause)
        bursts = sum(channel.bursts for channel in channels)
        return EngineOutcome(
            step_ps=np.array(step_ps, np.int64),
            dram_cycles=end,
            causes=np.array([channel.causes for channel in channels], np.int64),
            open_cycles=np.array([channel.open_cycles for channel in channels], np.int64),
            counts=np.array([channel.counts for channel in channels], np.int64),
            refresh_counts=np.array([channel.refresh_counts for channel in channels], np.int64),
            critical_ps=self._critical_ps(),
            asic_busy_ps=self._asic_busy_ps,
            asic_adds=self._asic_adds,
            asic_muls=self._asic_muls,
            link_bytes=self._link_bytes,
            bursts=bursts,
            shared_columns=self._shared_columns,
            simulated_bursts=bursts,
            kernel_s=self._wall_s,
        )

    def _front_end(self, programs: Iterable[StepProgram]) -> Process:
        """Hand out each step's instructions; the next step begins when the last instruction of this one is done."""
        for program in programs:
            start_ps = self._now_ps
            instructions = list(self._unroll(program, start_ps))
            for unit in self._order:
                self._feed(unit, instructions)
            last = instructions[-1]
            yield last.done
            self._now_ps, self._step_cause = last.end_ps, waiting_cause(last.instruction)
            for running in instructions:
                self._shared_columns += sum(block.shared_columns for block in running.instruction.blocks if block is not None)
            self.steps.append(Step(start_ps, last.end_ps - start_ps, instructions))

    def _unroll(self, program: StepProgram, start_ps: int) -> Iterator[Running]:
        """All instructions of a step, section by section.

        In serial issue each needs the one before it. In overlapped issue each needs what it names; SECTION_INPUT is the
        last instruction before the section's repetition.
        """
        serial = self.device.controller.issue == "serial"
        last_of: dict[bool, Running] = {}
        last: Running | None = None
        for section in program.sections:
            for _ in section.layers:
                section_input: Running | None = last
                inside: list[Running] = []
                for instruction in section.instructions:
                    if serial:
                        needs = [last]
                    else:
                        needs = [section_input if need == SECTION_INPUT else inside[need] for need in instruction.needs]
                    side = instruction.kind == PIM
                    last = Running(
                        self._env, instruction, self._numbered, [need for need in needs if need],
                        last_of.get(side), start_ps, self._step_cause,
                    )  # fmt: skip
                    self._numbered += 1
                    last_of[side] = last
                    inside.append(last)
                    yield last

    def _feed(self, unit: int, instructions: list[Running]) -> None:
        for running in instructions:
            kind, blocks = running.instruction.kind, running.instruction.blocks
            if unit == len(self._channels):
                if kind != PIM:
                    self._asic_queue.put(running)
            elif kind == PIM and blocks and blocks[unit] is not None:
                self._channels[unit].queue.put(running)

    def _run_asic(self) -> Process:
        """The ASIC's process: its work and the transfers over its link in program order, each from a clock edge on."""
        period_ps = self.device.asic_period_ps
        while True:
            running: Running = yield self._asic_queue.get()
            yield running.ready
            start_ps = ps_to_edge(int(self._env.now), period_ps) * period_ps
            instruction = running.instruction
            duration_ps = self._cycles(instruction) * period_ps
            yield self._env.timeout(start_ps + duration_ps - self._env.now)
            running.asic_done(start_ps)
            self._asic_busy_ps += duration_ps if instruction.kind == ASIC else 0
            self._asic_adds += sum(stage.adds for stage in instruction.stages)
            self._asic_muls += sum(stage.muls for stage in instruction.stages)
            self._link_bytes += instruction.link_bytes

    def _cycles(self, instruction: Instruction) -> int:
        """ASIC cycles of an instruction; a transfer takes all channels' pins for whole cycles."""
        if instruction.kind == LINK:
            gbit_per_s = self.device.link.gbit_per_s * self.device.organization.channels
            transfer_ps = ceil_exact(instruction.link_bytes * BITS_PER_BYTE * PS_PER_NS / gbit_per_s)
            return ps_to_edge(transfer_ps, self.device.asic_period_ps)
        return cycles(list(instruction.stages), self.device.asic)

    def _critical_ps(self) -> dict[str, int]:
        """Time of all steps by operation: each step walked back from its last instruction over what each waited for."""
        found: dict[str, int] = {}
        for step in self.steps:
            for running in step.instructions:
                found.setdefault(running.instruction.label, 0)
            current: Running | None = step.instructions[-1]
            cursor = step.start_ps + step.time_ps
            while current is not None:
                predecessor = current.predecessor
                reached = step.start_ps if predecessor is None else min(cursor, predecessor.end_ps)
                found[current.instruction.label] += cursor - reached
                cursor, current = reached, predecessor
        return found
