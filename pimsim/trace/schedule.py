"""Earliest legal clocks for the commands of a stream, in their given order."""

from __future__ import annotations

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.audit import Auditor
from pimsim.engine.command_trace import CommandTrace, split_by_channel
from pimsim.engine.kernels_rules import ChannelRules, fresh_channel, schedule
from pimsim.engine.rule_arrays import rule_arrays
from pimsim.errors import TraceError


class Scheduler:
    """Schedules a stream part by part; channels are independent, each issues at most one command a cycle."""

    def __init__(self, device: Device, where: str = "trace") -> None:
        self._device, self._where = device, where
        self._rules = rule_arrays(device.table, device.organization)
        self._rows = Auditor(device, limit=1, where=where)
        self._channels: dict[int, ChannelRules] = {}
        self._free: dict[int, int] = {}

    def feed(self, trace: CommandTrace) -> CommandTrace:
        """The next part with every ``clock`` recomputed. Raises TraceError where the banks' states forbid a command at any time."""
        self._rows.feed_rows(trace)
        faults = self._rows.report().violations
        if faults:
            fault = faults[0]
            raise TraceError(f"{self._where}:{fault.line}: {fault.command} can issue at no clock: it {fault.rule}")
        clock = np.empty(trace.commands, np.int64)
        for channel, index in split_by_channel(trace):
            clock[index] = self._channel(channel, trace.take(index))
        return trace._replace(clock=clock)

    def _channel(self, channel: int, part: CommandTrace) -> np.ndarray:
        if channel not in self._channels:
            self._channels[channel], self._free[channel] = fresh_channel(self._rules), 0
        flat = part.flat_bank(self._device.organization.banks_per_group)
        clock = schedule(self._rules, self._channels[channel], part.command, part.bank_group, flat, self._free[channel])
        self._free[channel] = int(clock[-1]) + 1
        return clock


def schedule_stream(trace: CommandTrace, device: Device) -> CommandTrace:
    """``trace`` with the earliest legal clock of every command; its own clocks are not read."""
    return Scheduler(device).feed(trace)
