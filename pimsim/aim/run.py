"""Run an AiM trace on a device: every DRAM command of every channel, and the cycle at which the last one completes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pimsim.aim.names import peer_counts
from pimsim.aim.parse import read_trace
from pimsim.config.device import Device
from pimsim.dram.standards.gddr6_aim import NAME
from pimsim.engine.aim_state import (
    CHOSEN,
    F_CLASSES,
    F_CYCLE,
    F_LINE,
    F_LOGGED,
    F_STATUS,
    FAR,
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
    aim_tables,
    fresh_state,
)
from pimsim.engine.command_trace import CommandTrace, trace_of_flat_banks
from pimsim.engine.kernels_aim_front import run
from pimsim.engine.rule_arrays import IntArray, rule_arrays
from pimsim.errors import ConfigError, TraceError
from pimsim.units import ck_to_s

MAX_CHANNELS = 64
_TICKS_AT_ONCE = 1 << 20
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
    are empty and the run is faster. ``skip=False`` looks at every command of every channel on its own: slower, and equal.
    """

    def __init__(self, path: str | Path, device: Device, log: bool = False, skip: bool = True) -> None:
        _check(device)
        self._where, self._device, self._log = str(path), device, log
        self._lines = read_trace(Path(path), device.organization, device.table.code)
        self._rules = rule_arrays(device.table, device.organization)
        share = skip and not log
        self._tables = aim_tables(device, jump=skip, share=share)
        self._state = fresh_state(self._rules, device.organization.channels, share, _LOG_ENTRIES if log else 0)

    def parts(self) -> Iterator[CommandTrace]:
        """The commands of all channels in order of clock and channel, a part at a time, as the run proceeds."""
        front, status, accesses, spent = self._state.front, STATUS_RUNNING, -1, 0
        window = _LOG_ENTRIES // self._device.organization.channels
        until = window if self._log else FAR - 1
        while status != STATUS_DONE:
            run(self._rules, self._tables, self._lines, self._state, until, FAR if self._log else _TICKS_AT_ONCE)
            status = int(front[F_STATUS])
            if self._log:
                yield self._commands(self._state.log[: front[F_LOGGED]])
                front[F_LOGGED] = 0
                until += window
            before, accesses = accesses, self._accesses()
            spent = 0 if accesses > before else spent + (window if self._log else _TICKS_AT_ONCE)
            if status == STATUS_STUCK or (status == STATUS_RUNNING and spent >= _TICKS_AT_ONCE):
                raise _stuck(self._where, int(front[F_LINE]), int(front[F_CYCLE]))

    @property
    def classes(self) -> int:
        """Sets of channels that are simulated once for all their members, as it stands."""
        return int(self._state.front[F_CLASSES])

    def _accesses(self) -> int:
        """Instructions and commands done, but for those that may repeat without getting anything done."""
        repeatable = [self._device.table.code[name] for name in CHOSEN[:K_RD]]
        issued = self._issued()
        return int(self._state.front[F_LINE] + issued.sum() - issued[repeatable].sum())

    def _issued(self) -> IntArray:
        """Commands of each kind that all channels have issued."""
        state = self._state
        classes = int(state.front[F_CLASSES])
        return state.totals + np.bincount(state.class_of, minlength=classes)[:classes] @ state.counts[:classes]

    def result(self) -> AimResult:
        """Cycles and counts of a run whose parts have all been consumed."""
        names = self._device.standard.command_names
        commands = {name: int(count) for name, count in zip(names, self._issued(), strict=True) if count}
        cycles = int(self._state.front[F_CYCLE])
        return AimResult(
            memory_system_cycles=cycles,
            simulated_time_s=ck_to_s(cycles, self._device.timing.t_ck_ps),
            instructions=len(self._lines),
            commands_by_kind=peer_counts(commands, bool(self._tables.parameter[P_GROUPED])),
            commands=commands,
        )

    def _commands(self, log: IntArray) -> CommandTrace:
        ordered = log[np.lexsort((log[:, L_CLASS], log[:, L_CLOCK]))]
        columns = (ordered[:, k] for k in (L_CLOCK, L_COMMAND, L_CLASS, L_BANK, L_ROW, L_COLUMN))
        return trace_of_flat_banks(self._device, *columns)


def run_trace(path: str | Path, device: Device, skip: bool = True) -> AimResult:
    """Cycles and command counts of the trace in ``path`` on ``device`` (see AimRun)."""
    aim_run = AimRun(path, device, skip=skip)
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
