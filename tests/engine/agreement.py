"""Runs the same programs on every engine and says where they differ."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from pimsim.config.device import Device
from pimsim.energy.ledger import energy_ledger
from pimsim.engine.audit import Auditor
from pimsim.engine.command_trace import trace_of_flat_banks
from pimsim.engine.fast import FastEngine
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.reference import ReferenceEngine
from pimsim.program.instruction import StepProgram

_ABOUT_THE_ENGINE = ("simulated_bursts", "kernel_s")


def differences(left: EngineOutcome, right: EngineOutcome) -> list[str]:
    """Names of the counters in which two outcomes differ, with both values."""
    found = []
    for name in (field.name for field in fields(EngineOutcome) if field.name not in _ABOUT_THE_ENGINE):
        one, other = getattr(left, name), getattr(right, name)
        if not (np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other):
            found.append(f"{name}: {one} != {other}")
    return found


def recorded(device: Device, programs: list[StepProgram]) -> tuple[list[np.ndarray], list[np.ndarray], EngineOutcome]:
    """The fast engine's commands of each channel (cycle, code, group, bank, for refresh), its instructions' times, its outcome."""
    engine = FastEngine(device)
    commands: list[list[np.ndarray]] = [[] for _ in range(device.organization.channels)]
    times, step_ps = [], []
    for program in programs:
        record = engine.record_step(program)
        for channel, parts in enumerate(commands):
            parts.append(_expanded(engine, record.log[record.log[:, 7] == channel]))
        length = sum(1 for _ in program.unrolled())
        times.append(record.instances[:length, :2])
        step_ps.append(int(record.instances[length - 1, 1]) - record.start_ps)
    return [np.concatenate(parts) for parts in commands], times, engine.finish(step_ps)


def _expanded(engine: FastEngine, log: np.ndarray) -> np.ndarray:
    spacing = engine.rules.commands[log[:, 3], 2]
    repeat = np.repeat(np.arange(len(log)), log[:, 1])
    inside = np.arange(len(repeat)) - np.repeat(np.cumsum(log[:, 1]) - log[:, 1], log[:, 1])
    rows = log[repeat]
    return np.column_stack([rows[:, 0] + inside * spacing[repeat], rows[:, 3:6], rows[:, 2] < 0])


def check_agreement(device: Device, programs: list[StepProgram]) -> int:
    """Every engine, command by command and counter by counter; returns the number of commands."""
    reference = ReferenceEngine(device, keep_log=True)
    specified = reference.run(programs)
    fast = FastEngine(device).run(iter(programs))
    plain = FastEngine(device, skip=False).run(iter(programs))
    commands, times, logged = recorded(device, programs)
    for outcome in (fast, plain, logged):
        assert differences(outcome, specified) == []
        assert energy_ledger(device, outcome) == energy_ledger(device, specified)
    assert (specified.causes.sum(1) == specified.dram_cycles).all()
    assert sum(specified.critical_ps.values()) == specified.total_ps
    for channel, issued in enumerate(reference.commands()):
        columns = np.array([(c.cycle, c.command, c.group, c.bank, c.for_refresh) for c in issued], np.int64).reshape(-1, 5)
        np.testing.assert_array_equal(commands[channel], columns, err_msg=f"channel {channel}")
    for step, spans in zip(reference.steps, times, strict=True):
        np.testing.assert_array_equal(spans, [(r.start_ps, r.end_ps) for r in step.instructions])
    check_audit(device, commands)
    return int(specified.counts.sum())


def check_audit(device: Device, commands: list[np.ndarray]) -> None:
    """The auditor accepts every channel's commands and finds every refresh in time; all on one row, for rows bind nothing."""
    auditor = Auditor(device, refresh=True)
    for channel, rows in enumerate(commands):
        clock, code, group, bank, _ = rows.T
        row = np.zeros(len(rows), np.int64)
        auditor.feed(trace_of_flat_banks(device, clock, code, channel, bank, row, row)._replace(bank_group=group))
    report = auditor.report()
    assert report.legal, report.lines()[:5]
