"""Recorded streams of HBM2, HBM3, LPDDR5 and DDR5: every clock is reproduced, and no command can be moved one tick earlier."""

from __future__ import annotations

import csv
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.trace import Auditor, CommandTrace, audit, load_stream, schedule_stream
from pimsim.trace.schedule import Scheduler

FOLDER = Path(__file__).parent.parent / "crossval"
STANDARDS = ("hbm2", "hbm3", "lpddr5", "ddr5")
STREAMS = [path for standard in STANDARDS for path in sorted((FOLDER / standard).glob(f"{standard}_*.csv"))]
WHOLE = {"hbm2_2000_12", "hbm3_6400_12", "lpddr5_6400_15", "ddr5_4800_12"}
SAMPLE = 25


@cache
def device_of(stem: str) -> Device:
    """The shipped device of a stream, with the rules of the simulator that recorded it."""
    ranks = ["dram.ranks=2"] if "_2r_" in stem else []
    return load_hardware("_".join(stem.split("_")[:2]), ["dram.rules=ramulator_2_1", *ranks])


def accepted_early(trace: CommandTrace, device: Device, indices: list[int]) -> list[int]:
    """Commands whose move to one tick earlier the auditor accepts."""
    auditor, accepted = Auditor(device), []
    for index in indices:
        clock = trace.clock.copy()
        clock[index] -= 1
        auditor.start()
        auditor.feed(trace._replace(clock=clock))
        if auditor.report().legal:
            accepted.append(index)
    return accepted


def test_streams_are_there() -> None:
    assert len(STREAMS) >= 12 and {path.stem for path in STREAMS} >= WHOLE


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_every_clock_is_reproduced(path: Path) -> None:
    device = device_of(path.stem)
    recorded = load_stream(path, device)
    assert recorded.commands >= 399
    assert schedule_stream(recorded, device).clock.tolist() == recorded.clock.tolist()


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_audit_accepts_and_finds_tight(path: Path) -> None:
    device = device_of(path.stem)
    report = audit(load_stream(path, device), device, tight=True)
    assert (report.violation_count, report.loose_count) == (0, 0)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_any_command_one_tick_earlier_is_rejected(path: Path) -> None:
    device = device_of(path.stem)
    recorded = load_stream(path, device)
    indices = np.flatnonzero(recorded.clock > 0).tolist()
    chosen = indices if path.stem in WHOLE else random.Random(path.stem).sample(indices, SAMPLE)
    assert accepted_early(recorded, device, chosen) == []


@pytest.mark.parametrize("stem", ["lpddr5_6400_15", "hbm3_6400_12"])
def test_scheduling_in_parts_changes_nothing(stem: str) -> None:
    device = device_of(stem)
    recorded = load_stream(FOLDER / stem.split("_")[0] / f"{stem}.csv", device)
    for size in (1, 7, 50):
        parts = (recorded.take(slice(k, k + size)) for k in range(0, recorded.commands, size))
        clocks = np.concatenate([part.clock for part in Scheduler(device).run(parts)])
        assert clocks.tolist() == recorded.clock.tolist()


@pytest.mark.parametrize("standard", STANDARDS)
def test_rules_agree_with_their_source(standard: str) -> None:
    """Every rule of the recorded table is in the standard, and nothing else; the complete set only adds."""
    scopes = {"Channel": "channel", "PseudoChannel": "pseudo_channel", "Rank": "rank", "Sid": "sid"}
    scopes |= {"BankGroup": "bank_group", "Bank": "bank"}
    with open(FOLDER / standard / "rules.csv") as file:
        recorded = {
            (scopes[r["scope"]], r["preceding"], r["following"], r["gap"], int(r["window"]), r["sibling"] == "True")
            for r in csv.DictReader(file)
        }
    stem = next(path.stem for path in STREAMS if path.stem.startswith(standard))
    reference, complete = device_of(stem).standard, load_hardware("_".join(stem.split("_")[:2])).standard
    ours = {(r.scope, " ".join(r.preceding), " ".join(r.following), r.gap, r.window, r.sibling) for r in reference.rules}
    assert ours == recorded
    assert set(complete.rules) > set(reference.rules)


@pytest.mark.parametrize("standard", STANDARDS)
def test_shipped_presets_agree_with_their_source(standard: str) -> None:
    """Cycles and organization of the shipped files, but nREFIpb, which follows from nREFI and the banks."""
    with open(FOLDER / standard / "timing.csv") as file:
        presets = list(csv.DictReader(file))
    assert len(presets) == 2
    for preset in presets:
        device = load_hardware(preset["preset"])
        cycles = {name: int(value) for name, value in preset.items() if name.startswith("n") and name != "nREFIpb"}
        assert {name: device.timing[name] for name in cycles} == cycles
        assert device.timing.t_ck_ps == int(preset["tCK_ps"])
        shape, outer = device.organization, dict(device.organization.outer)
        levels = {"pseudo_channel": "org_pseudochannel", "sid": "org_sid", "rank": "org_rank"}
        assert outer == {level: int(preset[column]) for level, column in levels.items() if column in preset}
        assert (shape.bank_groups, shape.banks_per_group) == (int(preset["org_bankgroup"]), int(preset["org_bank"]))
        assert (shape.rows, shape.columns) == (
            int(preset["org_row"]),
            int(preset["org_column"]) // device.standard.beats_per_column,
        )
