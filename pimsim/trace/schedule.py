"""Earliest legal clocks for the commands of a stream, in their given order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.audit import Auditor
from pimsim.engine.command_trace import CommandTrace, IntArray, concatenate, split_by_channel
from pimsim.engine.kernels_stream import ALONE, IS_STARTER, STOPPED_CLOCK, StreamState, fresh_stream
from pimsim.engine.kernels_stream import schedule_stream as schedule_channel
from pimsim.engine.stream_arrays import places_of, stream_rules
from pimsim.errors import TraceError


class Scheduler:
    """Schedules a stream part by part; channels are independent, each issues at most one command a tick on each command bus."""

    def __init__(self, device: Device, where: str = "trace") -> None:
        self._device, self._where = device, where
        self._rules = stream_rules(device)
        self._rows = Auditor(device, limit=1, where=where)
        self._channels: dict[int, StreamState] = {}
        self._waiting = concatenate([])

    def run(self, parts: Iterable[CommandTrace]) -> Iterator[CommandTrace]:
        """All parts with every ``clock`` recomputed. Raises TraceError where a command can issue at no clock.

        A command that starts a data clock goes with the column command behind it; at the end of a part it waits for the next.
        """
        for part in parts:
            whole = concatenate([self._waiting, part])
            cut = self._cut(whole)
            self._waiting = whole.take(slice(cut, None))
            yield self.feed(whole.take(slice(cut)))
        if self._waiting.commands:
            yield self.feed(self._waiting)

    def feed(self, trace: CommandTrace) -> CommandTrace:
        """The next part with every ``clock`` recomputed; it must not end between such a command and its column command."""
        self._rows.feed_rows(trace)
        faults = self._rows.report().violations
        if faults:
            fault = faults[0]
            raise TraceError(f"{self._where}:{fault.line}: {fault.command} can issue at no clock: it {fault.rule}")
        clock = np.empty(trace.commands, np.int64)
        for channel, index in split_by_channel(trace):
            clock[index] = self._channel(channel, trace.take(index))
        return trace._replace(clock=clock)

    def _cut(self, trace: CommandTrace) -> int:
        """Commands up to which no channel's last one starts a data clock."""
        cut = trace.commands
        while True:
            last = [int(index[-1]) for _, index in split_by_channel(trace.take(slice(cut)))]
            starters = [k for k in last if self._rules.commands[trace.command[k], IS_STARTER] == 1]
            if not starters:
                return cut
            cut = min(starters)

    def _channel(self, channel: int, part: CommandTrace) -> IntArray:
        if channel not in self._channels:
            self._channels[channel] = fresh_stream(self._rules)
        clock = np.empty(part.commands, np.int64)
        places = places_of(self._device, part)
        stop, why = schedule_channel(self._rules, self._channels[channel], part.command, places, clock)
        if stop >= 0:
            self._refuse(int(part.command[stop]), int(part.line[stop]), int(why))
        return clock

    def _refuse(self, code: int, line: int, why: int) -> None:
        standard = self._device.standard
        name = standard.command_names[code]
        clock = standard.data_clock
        starts = dict(clock.starts) if clock else {}
        if why == ALONE:
            columns = "/".join(column for column, starter in starts.items() if starter == name)
            text = f"it must stand directly before {columns} of its {clock.scope if clock else ''}"
        elif why == STOPPED_CLOCK:
            text = f"the data clock has stopped; it needs {starts[name]} in the CK before it"
        else:
            rule = next(rule for rule in standard.latest if name in rule.following)
            text = f"{'/'.join(rule.preceding)} was more than {rule.gap} = {self._device.timing[rule.gap]} CK before it"
        raise TraceError(f"{self._where}:{line}: {name} can issue at no clock: {text}")


def schedule_stream(trace: CommandTrace, device: Device) -> CommandTrace:
    """``trace`` with the earliest legal clock of every command; its own clocks are not read."""
    return Scheduler(device).feed(trace)
