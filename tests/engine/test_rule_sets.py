"""What the complete rule sets have beyond the reference's, by number of tests/crossval/DEVIATIONS.md: gap with and without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.engine.command_trace import trace_of_flat_banks
from pimsim.errors import TraceError
from pimsim.trace import audit, schedule_stream
from pimsim.trace.read import load_stream

REFERENCE = "dram.rules=ramulator_2_1"


def last_gap(device: Device, *rows: tuple[str, int]) -> int:
    """Ticks between the last two of some commands (name, flat bank) on one row."""
    clock = clocks(device, *rows)
    return clock[-1] - clock[-2]


def clocks(device: Device, *rows: tuple[str, int]) -> list[int]:
    """Earliest clocks of some commands (name, flat bank) on one row, which the auditor finds legal and tight."""
    code = np.array([device.table.code[name] for name, _ in rows], np.int64)
    bank = np.array([bank for _, bank in rows], np.int64)
    trace = trace_of_flat_banks(device, np.full(len(rows), -1), code, 0, bank, np.ones_like(code), np.zeros_like(code))
    timed = schedule_stream(trace, device)
    assert audit(timed, device, tight=True).lines()[:-1] == []
    return [int(clock) for clock in timed.clock]


# Number, hardware, commands and banks, ticks between the last two in the complete set and in the reference's.
CASES = [
    ("RAM-1", "hbm2_2000", [("REFpb", 0), ("REFpb", 1)], "nRREFD", 1),
    ("RAM-1", "hbm3_6400", [("RFMpb", 0), ("RFMpb", 1)], "nRREFD", 1),
    ("RAM-1", "hbm3_6400", [("REFpb", 0), ("RFMpb", 1)], "nRREFD", 1),
    ("RAM-2", "hbm3_6400", [("ACT", 0), ("REFpb", 1)], "nRRDL", None),
    ("RAM-3", "hbm2_2000", [("ACT", 0), ("WRA", 0), ("REFpb", 0)], "nCWL + nBL + nWR + nRP", None),
    ("RAM-3", "hbm3_6400", [("ACT", 0), ("WRA", 0), ("RFMpb", 0)], "nCWL + nBL + nWR + nRP", None),
    ("RAM-4", "hbm3_6400", [("REFab", 0), ("REFpb", 0)], "nRFC", 1),
    ("RAM-4", "hbm3_6400", [("RFMab", 0), ("RFMpb", 3)], "nRFMab", 1),
    ("RAM-4", "hbm2_2000", [("REFpb", 0), ("REFab", 0)], "nRFCpb", 1),
    ("RAM-4", "ddr5_4800", [("REFab", 0), ("REFab", 0)], "nRFC", 1),
    ("RAM-4", "lpddr5_6400", [("REFpb", 0), ("REFpb", 0)], "nRFCpb", 72),
    ("RAM-5", "hbm2_2000", [("PREab", 0), ("REFpb", 5)], "nRP", 1),
    ("RAM-5", "lpddr5_6400", [("PREab", 0), ("REFab", 0)], "nRPab", 15),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[2][-2][0]}-{case[2][-1][0]}")
def test_complete_set_waits_and_the_reference_does_not(case: tuple[str, str, list[tuple[str, int]], str, int | None]) -> None:
    _, name, rows, gap, reference_gap = case
    complete, reference = load_hardware(name), load_hardware(name, [REFERENCE])
    resolved = next(
        rule.gap_ticks
        for rule in complete.table.stream_rules
        if rule.rule.gap == gap
        and complete.standard.command_names[rule.preceding] == rows[-2][0]
        and complete.standard.command_names[rule.following] == rows[-1][0]
        and not rule.sibling
        and rule.rule not in reference.standard.rules
    )
    assert last_gap(complete, *rows) == resolved
    if reference_gap is not None:
        assert last_gap(reference, *rows) == reference_gap
    else:
        assert last_gap(reference, *rows) < resolved


def test_ram_6_and_7_activation_of_lpddr5() -> None:
    complete, reference = load_hardware("lpddr5_6400"), load_hardware("lpddr5_6400", [REFERENCE])
    refresh = [("ACT1", 0), ("ACT2", 0), ("REFpb", 4)]
    assert (last_gap(complete, *refresh), last_gap(reference, *refresh)) == (3, 1)
    read = [("ACT1", 0), ("ACT2", 0), ("CAS_RD", 0), ("RD", 0)]
    assert [clocks(complete, *read)[-1], clocks(reference, *read)[-1]] == [16, 15]


def test_ram_8_same_bank_refresh_is_of_the_complete_set_alone(tmp_path: Path) -> None:
    complete, reference = load_hardware("ddr5_4800"), load_hardware("ddr5_4800", [REFERENCE])
    # Bank 1 of every group is refreshed: an activation there waits for all of it, elsewhere for less.
    assert last_gap(complete, ("REFsb", 1), ("ACT", 4 + 1)) == complete.timing["nRFCsb"] - 1
    assert last_gap(complete, ("REFsb", 1), ("ACT", 4 + 2)) == complete.timing["nREFSBRD"] - 1
    path = tmp_path / "s.csv"
    path.write_text("command,channel,rank,bank_group,bank,row,column\nrefsb,0,0,,1,,\n")
    assert load_stream(path, complete, need_clock=False).bank.tolist() == [1]
    with pytest.raises(TraceError, match="unknown command 'refsb'"):
        load_stream(path, reference, need_clock=False)


def test_open_banks_of_the_same_number_forbid_a_same_bank_refresh() -> None:
    device = load_hardware("ddr5_4800")
    with pytest.raises(TraceError, match="REFsb can issue at no clock: it needs closed banks"):
        last_gap(device, ("ACT", 5), ("REFsb", 1))
    assert last_gap(device, ("ACT", 6), ("REFsb", 1)) > 0
