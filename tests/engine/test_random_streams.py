"""Random legal streams of every shipped standard: engine and auditor, which share only the rule data, must agree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.config.device import Device
from pimsim.trace import Auditor, audit, schedule_stream
from tests.strategies import command_streams, devices, random_stream, random_timing, timings

NAMES = sorted(devices())


def test_all_shipped_standards_are_covered() -> None:
    assert {"GDDR6", "GDDR6_PIM"} <= {device.standard.name for device in devices().values()}


@pytest.mark.parametrize("name", NAMES)
def test_streams_use_every_command(name: str) -> None:
    device = devices()[name]
    used = random_stream(device, list(range(3000))).command
    assert sorted(set(used.tolist())) == list(range(len(device.standard.commands)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_scheduled_streams_are_legal_and_tight(name: str, data: st.DataObject) -> None:
    device = data.draw(timings(devices()[name]))
    trace = schedule_stream(data.draw(command_streams(device)), device)
    report = audit(trace, device, tight=True)
    assert report.lines()[:-1] == []


def early_copies(trace_clock: np.ndarray, index: int) -> np.ndarray:
    clock = trace_clock.copy()
    clock[index] -= 1
    return clock


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_any_command_one_cycle_earlier_is_rejected(name: str, seed: int) -> None:
    rng = random.Random(seed)
    device: Device = random_timing(devices()[name], rng)
    trace = schedule_stream(random_stream(device, [rng.randrange(1 << 30) for _ in range(150)]), device)
    auditor = Auditor(device)
    for index in np.flatnonzero(trace.clock > 0):
        auditor.start()
        auditor.feed(trace._replace(clock=early_copies(trace.clock, index)))
        found = auditor.report().violations
        lines = [finding.line for finding in found if finding.kind in ("timing", "bus", "order")]
        stopped = [finding.line for finding in found if finding.kind == "data_clock"]
        assert index in lines or (device.standard.data_clock and index + 1 in stopped)


@pytest.mark.parametrize("name", NAMES)
def test_later_commands_are_reported_as_loose(name: str) -> None:
    device = devices()[name]
    trace = schedule_stream(random_stream(device, list(range(60))), device)
    late = trace._replace(clock=trace.clock + np.where(trace.line >= 30, 7, 0))
    report = audit(late, device, tight=True)
    channels = trace.channel[30:].tolist()
    first = {channel: 30 + channels.index(channel) for channel in set(channels)}
    clock = device.standard.data_clock
    starters = [device.table.code[starter] for _, starter in clock.starts] if clock else []
    first = {channel: line + int(trace.command[line] in starters) for channel, line in first.items()}
    assert report.legal
    assert {(f.line, f.cycles) for f in report.loose} >= {(line, 7) for line in first.values() if trace.clock[line] > 0}


@pytest.mark.parametrize("name", NAMES)
def test_parts_and_whole_agree(name: str) -> None:
    device = devices()[name]
    trace = schedule_stream(random_stream(device, list(range(200))), device)
    wrong = trace._replace(clock=trace.clock - (trace.line % 17 == 5))
    wrong = wrong._replace(clock=np.maximum(wrong.clock, 0))
    whole, parts = audit(wrong, device, tight=True), Auditor(device, tight=True)
    for start in range(0, trace.commands, 23):
        parts.feed(wrong.take(slice(start, start + 23)))
    assert parts.report() == whole
    assert not whole.legal
