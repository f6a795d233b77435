"""The numbered differences to aim_simulator: each test fails when its difference disappears (tests/crossval/DEVIATIONS.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pimsim.config.hardware import ControllerSpec
from pimsim.errors import TraceError

DUMP = Path(__file__).with_name("timing_dump.txt").read_text()
IN_FORCE = {name: int(value) for name, value in re.findall(r"^TIMING (\w+) = (\d+)$", DUMP, re.MULTILINE)}
NONE = "controller.quirks=none"
PEER = "controller.quirks=aim_simulator"
LAST, FIRST = "0x1", "0x80000000"


def cycles(run, text):
    return run(text, PEER).memory_system_cycles, run(text, NONE).memory_system_cycles


def kinds(run, text):
    return run(text, PEER).commands_by_kind, run(text, NONE).commands_by_kind


def test_shipped_file_describes_the_peer_and_the_schema_does_not(run, device):
    assert device().controller.quirks == "aim_simulator"
    assert device().spec.dram.refresh.mode == "none"
    assert ControllerSpec(issue="serial", source="a test").quirks == "none"


def test_aim_1_refresh(run):
    text = ";".join(f"AiM MAC_ABK 64 1 {row}" for row in range(100))
    assert "REFab" not in run(text).commands_by_kind
    assert run(text, "dram.refresh.mode=all_bank").commands_by_kind["REFab"] > 0


def test_aim_2_refresh_times(device):
    timing = device().timing
    assert (IN_FORCE["nRFC"], IN_FORCE["nRFCpb"]) == (0, 3333)
    assert (timing["nRFCab"], timing["nRFCpb"]) == (210, 105)


def test_aim_3_activation_within_tfaw(run):
    limited = ("pim.all_bank_activation.grouped_by=4", "pim.all_bank_activation.obey_tFAW=true")
    shipped = run("AiM MAC_ABK 1 1 0").memory_system_cycles
    assert run("AiM MAC_ABK 1 1 0", *limited).memory_system_cycles == shipped + 3 * IN_FORCE["nFAW"]


def test_aim_4_clock_period(device):
    assert IN_FORCE["tCK_ps"] == 1000 and device().timing.t_ck_ps == 500


def test_aim_5_overtaking_plain_accesses(run):
    assert cycles(run, "R MEM 0 0 0") == (3, 90)
    assert kinds(run, "R MEM 0 0 0") == ({"ACT": 1}, {"ACT": 1, "RD": 1})
    accessed = {"ACT": 1, "WR": 1, "WRGB": 1}
    assert kinds(run, "W MEM 31 0 0;AiM WR_GB 1 0 1") == (accessed | {"TMOD": 3}, accessed | {"TMOD": 1})


def test_aim_6_reads_answered_by_any_write(run):
    other_bank = "W MEM 0 0 0;W MEM 0 0 1;R MEM 0 1 5;AiM SYNC"
    peer, right = kinds(run, other_bank)
    assert "RD" not in peer and right["RD"] == 1
    being_activated = "W MEM 0 0 5;R MEM 0 0 5;AiM SYNC"
    peer, right = kinds(run, being_activated)
    assert peer["RD"] == 1 and "RD" not in right


def test_aim_7_one_entry_too_many(run):
    assert cycles(run, f"AiM WR_GB 33 0 {LAST};AiM WR_GB 33 0 {FIRST}") == (102, 135)


def test_aim_8_activating_open_banks(run):
    peer, right = kinds(run, "AiM MAC_SBK 1 1 0 3;AiM MAC_ABK 1 1 3")
    assert "PREA" not in peer and right["PREA"] == 1


@pytest.mark.parametrize("parameter", ["nMACRD=40", "nAFRD=40"])
def test_aim_9_and_10_time_before_results_are_read(parameter, run):
    text = "AiM MAC_ABK 1 1 0;AiM RD_MAC 0 1" if "MAC" in parameter else "AiM AF 1;AiM RD_AF 0 1"
    shipped = run(text).memory_system_cycles
    longer = run(text, f"dram.timing.{parameter}").memory_system_cycles
    assert longer == shipped + (38 if "MAC" in parameter else 39)


@pytest.mark.parametrize("text", ["AiM MAC_SBK 1 1 0 16384", "AiM MAC_ABK 1 0 0", "AiM MAC_ABK 0 1 0", "AiM EOC;AiM SYNC"])
def test_aim_11_strictness(text, run):
    with pytest.raises(TraceError):
        run(text)


def test_a_hardware_file_of_ones_own_has_the_right_behaviour(tmp_path, run, device):
    from pimsim.aim.run import run_trace
    from pimsim.config.load import load_hardware

    shipped = Path(device().where)
    values = yaml.safe_load(shipped.read_text())
    del values["controller"]["quirks"]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "read.trace").write_text("R MEM 0 0 0\nAiM EOC\n")
    assert run_trace(tmp_path / "read.trace", load_hardware(tmp_path / "own.yaml")).memory_system_cycles == 90
