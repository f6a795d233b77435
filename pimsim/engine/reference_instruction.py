"""Reference engine: one instruction of a step on its way from waiting to done."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from pimsim.dram.commands import CAUSE_INDEX
from pimsim.program.instruction import PIM, WAIT_CAUSES, Instruction

Process = Generator[simpy.Event, Any, None]


def waiting_cause(instruction: Instruction) -> int:
    """What cycles are booked on while a channel waits for this instruction."""
    return CAUSE_INDEX[WAIT_CAUSES[instruction.waits_as]]


class Running:
    """An instruction of one step: ``needs`` are done before it starts, ``previous`` is its unit's instruction before it.

    ``start_ps`` and ``end_ps`` are known once ``done`` has happened. ``number`` counts the instructions of the run.
    """

    def __init__(
        self, env: simpy.Environment, instruction: Instruction, number: int, needs: list[Running],
        previous: Running | None, step_start_ps: int, step_cause: int,
    ) -> None:  # fmt: skip
        self.instruction, self.number = instruction, number
        self.needs, self.previous = needs, previous
        self.done: simpy.Event = env.event()
        self.ready: simpy.Event = simpy.AllOf(env, [need.done for need in needs])
        self.start_ps = self.end_ps = -1
        self._env, self._step_start_ps, self._step_cause = env, step_start_ps, step_cause
        self._channels_left = sum(block is not None for block in instruction.blocks)
        if instruction.kind == PIM and not self._channels_left:
            env.process(self._end_when_ready())

    @property
    def latest_need(self) -> Running | None:
        """The need that was done last, the first of several; None if only the step's start is waited for."""
        return max(self.needs, key=lambda need: need.end_ps, default=None)

    @property
    def ready_ps(self) -> int:
        """When the last need was done; asked once ``ready`` has happened."""
        need = self.latest_need
        return self._step_start_ps if need is None else need.end_ps

    @property
    def wait_cause(self) -> int:
        """What a channel's cycles before ``ready_ps`` are booked on."""
        need = self.latest_need
        return self._step_cause if need is None else waiting_cause(need.instruction)

    @property
    def predecessor(self) -> Running | None:
        """What the critical path came from: the latest need, or the same unit's previous instruction if that ended later."""
        need, previous = self.latest_need, self.previous
        if previous is not None and (need is None or previous.end_ps > need.end_ps):
            return previous
        return need

    def channel_done(self, time_ps: int) -> None:
        """One channel's data have arrived at ``time_ps``; with the last channel's the instruction ends."""
        self.start_ps, self.end_ps = self.ready_ps, max(self.end_ps, self.ready_ps, time_ps)
        self._channels_left -= 1
        if not self._channels_left:
            self._env.process(self._end_at(self.end_ps))

    def asic_done(self, start_ps: int) -> None:
        """The ASIC ends it now, begun at ``start_ps``."""
        self.start_ps, self.end_ps = start_ps, int(self._env.now)
        self.done.succeed()

    def _end_at(self, time_ps: int) -> Process:
        yield self._env.timeout(time_ps - self._env.now)
        self.done.succeed()

    def _end_when_ready(self) -> Process:
        yield self.ready
        self.start_ps = self.end_ps = self.ready_ps
        self.done.succeed()
