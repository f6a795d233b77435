"""Reference engine: a channel's in-order controller, one event a command. This is the specification of its timing.

A command issues at the first cycle that every timing rule allows, that is after the channel's previous command, and that is
not before the instruction's data. A refresh that is due, or urgent if it needs open banks closed, goes first. What a wait
is booked on is known only when it is over: a channel that slept then issues the refreshes it owed, at the cycles they had.
"""

from __future__ import annotations

from typing import NamedTuple

import simpy

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX, CAUSES
from pimsim.engine.reference_banks import Banks, RefreshClock
from pimsim.engine.reference_instruction import Process, Running
from pimsim.engine.reference_rules import UNBOUND, IssueHistory, Target
from pimsim.program.block import Block
from pimsim.units import ps_to_edge

_REFRESH = CAUSE_INDEX["refresh"]
_CARRIES_DATA = ("none", "column", "column_close")


class Issued(NamedTuple):
    """One issued command: CK cycle, code, bank group, flat bank, number of its instruction, whether refresh caused it."""

    cycle: int
    command: int
    group: int
    bank: int
    instruction: int
    for_refresh: bool


class Burst(NamedTuple):
    """A command that is issued ``times`` times, booked on ``cause``."""

    target: Target
    times: int
    cause: int


class Pause(NamedTuple):
    """Nothing to do until ``cycle``; waiting is booked on ``cause``."""

    cycle: int
    cause: int


class ChannelController:
    """One channel: its queue of instructions in program order, the state of its banks, and where its cycles went."""

    def __init__(self, env: simpy.Environment, device: Device, index: int, keep_log: bool) -> None:
        self.queue = simpy.Store(env)
        self.last_cycle = -1
        self.causes = [0] * len(CAUSES)
        self.open_cycles = 0
        self.counts = [0] * len(device.standard.commands)
        self.refresh_counts = [0] * len(device.standard.commands)
        self.bursts = 0
        self.log: list[Issued] | None = [] if keep_log else None
        self._env, self._device, self._index = env, device, index
        self._history, self._banks, self._refresh = IssueHistory(device.table), Banks(device), RefreshClock(device)
        self._after_refresh = False
        self._data_cycle, self._wait_cause, self._instruction = 0, 0, -1

    def run(self) -> Process:
        """The controller's process: instructions in program order, each once its needs are done; in a pause, refreshes."""
        while True:
            running: Running | Pause = yield self.queue.get()
            if isinstance(running, Pause):
                self._data_cycle, self._wait_cause = running
                while self._refresh_goes_first(self._data_cycle):
                    yield from self._do_refresh()
                continue
            yield running.ready
            self._data_cycle = ps_to_edge(running.ready_ps, self._device.timing.t_ck_ps)
            self._wait_cause, self._instruction = running.wait_cause, running.number
            block = running.instruction.blocks[self._index]
            assert block is not None
            yield from self._run_block(_bursts(block), running)

    def finish(self, end_cycle: int, cause: int) -> None:
        """The run ends before ``end_cycle``: what is left is booked on ``cause``."""
        self.causes[cause] += end_cycle - 1 - self.last_cycle
        self.last_cycle = end_cycle - 1

    def _run_block(self, bursts: list[Burst], running: Running) -> Process:
        """A block, which moves data, is done when its last data have arrived; in serial issue also not before its last command."""
        commands, serial = self._device.standard.commands, self._device.controller.issue == "serial"
        carrying = [i for i, burst in enumerate(bursts) if commands[burst.target.command].row in _CARRIES_DATA]
        done = self._data_cycle
        for i, burst in enumerate(bursts):
            for _ in range(burst.times):
                yield from self._issue_in_turn(burst.target, burst.cause)
            if i in carrying:
                done = max(done, self.last_cycle + self._device.table.latency_ck[burst.target.command])
            if i == carrying[-1] and not serial:
                self._report(running, done)
        self.bursts += len(bursts)
        if serial:
            self._report(running, max(done, self.last_cycle + 1))

    def _report(self, running: Running, done_cycle: int) -> None:
        running.channel_done(done_cycle * self._device.timing.t_ck_ps)

    def _issue_in_turn(self, target: Target, cause: int) -> Process:
        """Issue one command of a block, after the refreshes that go before it."""
        while True:
            ready, binder = self._history.earliest(target)
            cycle = max(ready, self._data_cycle, self.last_cycle + 1)
            if not self._refresh_goes_first(cycle):
                break
            yield from self._do_refresh()
        yield from self._issue(target, cycle, binder, cause)
        self._after_refresh = False

    def _refresh_goes_first(self, cycle: int) -> bool:
        """Whether a refresh goes before a command that could issue at ``cycle``: urgent, or due with its banks closed."""
        refresh = self._refresh
        closed = not self._banks.open & self._refreshed_banks()
        return refresh.enabled and (refresh.urgent_cycle <= cycle or (closed and refresh.due_cycle <= cycle))

    def _refreshed_banks(self) -> set[int]:
        bank = self._refresh.bank
        return {bank} if bank >= 0 else set(range(self._device.organization.banks))

    def _do_refresh(self) -> Process:
        """One refresh; open banks are precharged before it, not earlier than it is urgent, and activated again after it."""
        refresh, banks, shape = self._refresh, self._banks, self._device.organization
        opened, due_cycle, bank = set(banks.open), refresh.due_cycle, refresh.bank
        reopen = bool(opened & self._refreshed_banks())
        if reopen:
            yield from self._issue_for_refresh(banks.precharge(bank), refresh.urgent_cycle)
        code = self._device.table.code["REFpb" if bank >= 0 else "REFab"]
        yield from self._issue_for_refresh(Target(code, shape.bank_group_of(bank) if bank >= 0 else -1, bank), due_cycle)
        refresh.done += 1
        if reopen:
            for activation in banks.activations(opened - banks.open):
                yield from self._issue_for_refresh(activation, 0)

    def _issue_for_refresh(self, target: Target, not_before: int) -> Process:
        """Issue a command that refresh needs as early as the rules and the bus allow, whatever data the block waits for."""
        ready, binder = self._history.earliest(target)
        self._after_refresh = True
        yield from self._issue(target, max(ready, not_before, self.last_cycle + 1), binder, _REFRESH, for_refresh=True)
        self.refresh_counts[target.command] += 1

    def _issue(self, target: Target, cycle: int, binder: int, cause: int, for_refresh: bool = False) -> Process:
        """The one event of a command: at ``cycle`` (at once if that has passed) it issues and changes all state."""
        yield self._env.timeout(max(0, cycle * self._device.timing.t_ck_ps - self._env.now))
        self._book(target, cycle, binder, cause)
        self._history.record(target, cycle)
        self._banks.apply(target)
        self.counts[target.command] += 1
        if self.log is not None:
            self.log.append(Issued(cycle, *target, self._instruction, for_refresh))

    def _book(self, target: Target, cycle: int, binder: int, cause: int) -> None:
        """Cycles since the last command: the command's own slot, first waiting for data, the rest for what bound it.

        The rest is refresh's after a refresh, else the cause of the pair (binder, command), else the command's own.
        """
        idle = cycle - self.last_cycle - 1
        waiting = min(idle, max(0, self._data_cycle - self.last_cycle - 1))
        self.causes[self._wait_cause] += waiting
        self.causes[self._bound_cause(target, binder, cause)] += idle - waiting
        self.causes[cause] += 1
        if self._banks.open:
            self.open_cycles += cycle - self.last_cycle
        self.last_cycle = cycle

    def _bound_cause(self, target: Target, binder: int, cause: int) -> int:
        if self._after_refresh:
            return _REFRESH
        if binder == UNBOUND:
            return cause
        commands = self._device.standard.commands
        of_pair = self._device.table.pair_cause(commands[binder], commands[target.command])
        return cause if of_pair < 0 else of_pair


def _bursts(block: Block) -> list[Burst]:
    columns = (block.command, block.group, block.bank, block.count, block.cause)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Burst(Target(command, group, bank), times, cause) for command, group, bank, times, cause in rows]
