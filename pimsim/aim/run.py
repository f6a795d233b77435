"""Run an AiM trace on a device: every DRAM command of every channel, and the cycle at which the last one completes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pimsim.aim.names import peer_counts
from pimsim.aim.parse import AimTrace, read_trace
from pimsim.config.device import Device
from pimsim.dram.standards.gddr6_aim import NAME
from pimsim.engine.aim_state import (
    CHOSEN,
    F_CYCLE,
    F_LINE,
    F_LOGGED,
    F_STATUS,
    K_RD,
    L_BANK,
    L_CLASS,
    L_CLOCK,
    L_COLUMN,
    L_COMMAND,
    L_ROW,
    P_GROUPED,
    STATUS_DONE,
    STATUS_RUNNING,
    STATUS_STUCK,
    AimLines,
    aim_tables,
    fresh_state,
)
from pimsim.engine.command_trace import CommandTrace, trace_of_flat_banks
from pimsim.engine.kernels_aim_front import run
from pimsim.engine.rule_arrays import IntArray, rule_arrays
from pimsim.errors import ConfigError, TraceError
from pimsim.units import ck_to_s

MAX_CHANNELS = 64
_ITERATIONS_AT_ONCE = 1 << 20
_LOG_ENTRIES = 1 << 16


@dataclass(frozen=True)
class AimResult:
    """What a run took.

    ``memory_system_cycles``: CK until the last completion. ``commands``: commands issued, in all channels together;
    ``commands_by_kind``: the same under the peer's names. ``simulated_time_s``: the cycles at the device's clock.
    """

    memory_system_cycles: int
    simulated_time_s: float
    instructions: int
    commands_by_kind: dict[str, int]
    commands: dict[str, int]


class AimRun:
    """One run of the trace in ``path``: consume ``parts()``, then ask for ``result()``.

    Raises TraceError for a malformed trace, ConfigError for a device without AiM commands. Without ``log`` the parts
    are empty and the run is faster.
    """

    def __init__(self, path: str | Path, device: Device, log: bool = False) -> None:
        _check(device)
        self._where, self._device, self._log = str(path), device, log
        trace = read_trace(Path(path), device.organization, device.table.code)
        self._rules, self._tables = rule_arrays(device.table, device.organization), aim_tables(device)
        self._lines, self._class_of = aim_lines(trace, device.organization.channels)
        self._size = np.bincount(self._class_of)
        self._state = fresh_state(self._rules, len(self._size), _LOG_ENTRIES if log else 0)

    def parts(self) -> Iterator[CommandTrace]:
        """The commands of all channels in order of clock and channel, a part at a time, as the run proceeds."""
        front, status, accesses = self._state.front, 0, -1
        while status != STATUS_DONE:
            run(self._rules, self._tables, self._lines, self._state, _ITERATIONS_AT_ONCE)
            status = int(front[F_STATUS])
            if self._log:
                yield self._commands(self._state.log[: front[F_LOGGED]])
                front[F_LOGGED] = 0
            before, accesses = accesses, self._accesses()
            if status == STATUS_STUCK or (status == STATUS_RUNNING and accesses == before):
                raise _stuck(self._where, int(front[F_LINE]), int(front[F_CYCLE]))

    def _accesses(self) -> int:
        """Instructions and commands done, but for those that may repeat without getting anything done."""
        repeatable = [self._device.table.code[name] for name in CHOSEN[:K_RD]]
        counts = self._state.counts
        return int(self._state.front[F_LINE] + counts.sum() - counts[:, repeatable].sum())

    def result(self) -> AimResult:
        """Cycles and counts of a run whose parts have all been consumed."""
        names, totals = self._device.standard.command_names, self._size @ self._state.counts
        commands = {name: int(count) for name, count in zip(names, totals, strict=True) if count}
        cycles = int(self._state.front[F_CYCLE])
        return AimResult(
            memory_system_cycles=cycles,
            simulated_time_s=ck_to_s(cycles, self._device.timing.t_ck_ps),
            instructions=len(self._lines.kind),
            commands_by_kind=peer_counts(commands, bool(self._tables.parameter[P_GROUPED])),
            commands=commands,
        )

    def _commands(self, log: IntArray) -> CommandTrace:
        every = in_all_channels(log, self._class_of)
        columns = (every[:, k] for k in (L_CLOCK, L_COMMAND, L_CLASS, L_BANK, L_ROW, L_COLUMN))
        return trace_of_flat_banks(self._device, *columns)


def run_trace(path: str | Path, device: Device) -> AimResult:
    """Cycles and command counts of the trace in ``path`` on ``device`` (see AimRun)."""
    aim_run = AimRun(path, device)
    for _ in aim_run.parts():
        pass
    return aim_run.result()


def _check(device: Device) -> None:
    if device.standard.name != NAME:
        raise ConfigError(f"{device.where}: dram.standard {device.standard.name} has no AiM commands; must be {NAME}")
    channels = device.organization.channels
    if channels > MAX_CHANNELS:
        raise ConfigError(f"{device.where}: dram.channels {channels}: a trace's channel mask names at most {MAX_CHANNELS}")


def _stuck(where: str, instruction: int, cycle: int) -> TraceError:
    return TraceError(
        f"{where}: instruction {instruction + 1} never completes (cycle {cycle}): AiM instructions close the row of a plain "
        "access before it can be accessed, again and again; controller.quirks none keeps it open"
    )


def aim_lines(trace: AimTrace, channels: int) -> tuple[AimLines, IntArray]:
    """Instructions as arrays, and the class of each channel: channels in one class are addressed by the same instructions."""
    masks, addressed = np.unique(np.frombuffer(trace.channels, np.uint64), return_inverse=True)
    bits = (masks[:, None] >> np.arange(channels, dtype=np.uint64)) & np.uint64(1)
    _, first, class_of = np.unique(bits, axis=1, return_index=True, return_inverse=True)
    lines = AimLines(
        kind=np.array(trace.kind, np.int64),
        command=np.array(trace.command, np.int64),
        opsize=np.array(trace.opsize, np.int64),
        addressed=addressed.reshape(-1).astype(np.int64),
        bank=np.array(trace.bank, np.int64),
        row=np.array(trace.row, np.int64),
        member=np.ascontiguousarray(bits[:, first], np.int64),
    )
    return lines, class_of.reshape(-1).astype(np.int64)


def in_all_channels(log: IntArray, class_of: IntArray) -> IntArray:
    """Log entries of classes as entries of their channels, ordered by clock and channel."""
    members = [np.flatnonzero(class_of == c) for c in range(int(class_of.max()) + 1)]
    size = np.array([len(channels) for channels in members])
    out = np.repeat(log, size[log[:, L_CLASS]], axis=0)
    if len(log):
        out[:, L_CLASS] = np.concatenate([members[c] for c in log[:, L_CLASS]])
    return out[np.lexsort((out[:, L_CLASS], out[:, L_CLOCK]))]
