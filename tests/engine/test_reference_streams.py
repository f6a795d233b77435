"""The 12 recorded GDDR6 streams: every clock is reproduced, and no command can be moved one cycle earlier."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.dram.rules import evaluate_gap
from pimsim.trace import Auditor, CommandTrace, audit, load_stream, schedule_stream

FOLDER = Path(__file__).parent.parent / "crossval" / "gddr6"
STREAMS = sorted(FOLDER.glob("gddr6_1250mV_*.csv"))


@pytest.fixture(scope="module")
def device() -> Device:
    return load_hardware("gddr6_14000_1250mV")


@pytest.fixture(scope="module")
def low_voltage(tmp_path_factory: pytest.TempPathFactory) -> Device:
    """The 1350 mV preset of the same source, as a user would write it."""
    with open(FOLDER / "timing.csv") as file:
        preset = next(row for row in csv.DictReader(file) if "1350mV" in row["preset"])
    lines = [f"    {name}: {value}" for name, value in preset.items() if name.startswith("n")]
    path = tmp_path_factory.mktemp("hw") / "gddr6_1350mV.yaml"
    head = ["base: gddr6_14000_1250mV", "name: gddr6_1350mV", "dram:", "  timing:", "    source: preset"]
    path.write_text("\n".join([*head, *lines, f"    tCK_ns: {int(preset['tCK_ps']) / 1000}"]))
    return load_hardware(path)


def accepted_earlier(trace: CommandTrace, device: Device) -> list[int]:
    """Commands whose move to one cycle earlier the auditor does not reject with a rule and the earlier command."""
    auditor, accepted = Auditor(device), []
    for index in np.flatnonzero(trace.clock > 0):
        clock = trace.clock.copy()
        clock[index] -= 1
        auditor.start()
        auditor.feed(trace._replace(clock=clock))
        found = auditor.report().violations
        on_time = [f for f in found if f.line == trace.line[index] and f.rule and f.earlier_line >= 0]
        if not on_time or {f.kind for f in on_time} - {"timing", "bus"}:
            accepted.append(int(index))
    return accepted


def test_streams_are_there() -> None:
    assert len(STREAMS) == 12


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_every_clock_is_reproduced(path: Path, device: Device) -> None:
    recorded = load_stream(path, device)
    assert recorded.commands == 400
    assert schedule_stream(recorded, device).clock.tolist() == recorded.clock.tolist()


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_audit_accepts_and_finds_tight(path: Path, device: Device) -> None:
    report = audit(load_stream(path, device), device, tight=True)
    assert (report.commands, report.violation_count, report.loose_count) == (400, 0, 0)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_any_command_one_cycle_earlier_is_rejected(path: Path, device: Device) -> None:
    assert accepted_earlier(load_stream(path, device), device) == []


@pytest.mark.parametrize("path", STREAMS[:4], ids=lambda path: path.stem)
def test_other_timing_of_a_user_file(path: Path, device: Device, low_voltage: Device) -> None:
    recorded = load_stream(path, device)
    faster = schedule_stream(recorded, low_voltage)
    assert faster.clock[-1] < recorded.clock[-1]
    assert audit(faster, low_voltage, tight=True).legal
    assert not audit(faster, device).legal
    assert accepted_earlier(faster, low_voltage) == []


def test_rules_agree_with_their_source(device: Device) -> None:
    """Every pair of the recorded rule table is in the standard with the same value, and nothing else."""
    timing = device.timing.cycles
    scopes = {"Channel": "channel", "BankGroup": "bank_group", "Bank": "bank"}
    with open(FOLDER / "rules.csv") as file:
        recorded = {
            (scopes[row["scope"]], before, after, evaluate_gap(row["gap"], timing), int(row["window"]))
            for row in csv.DictReader(file)
            for before in row["preceding"].split()
            for after in row["following"].split()
        }
    names = device.standard.command_names
    ours = {(r.scope, names[r.preceding], names[r.following], r.gap_ck, r.window) for r in device.table.rules}
    assert ours == recorded
