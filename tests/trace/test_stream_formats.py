"""What a stream file may look like: comments, separators, letter case, levels of the standard, and what is said of a missing header."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.config.load import load_hardware
from pimsim.errors import TraceError
from pimsim.trace import load_stream, schedule_stream, write_stream

ROWS = ["clock,command,channel,bank_group,bank,row,column", "0,ACT,0,2,1,39,", "30,RD,0,2,1,39,47", "60,PREab,0,,,,"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_comments_and_case(separator: str, tmp_path: Path) -> None:
    device = load_hardware("gddr6_14000_1250mV")
    plain, odd = tmp_path / "plain.csv", tmp_path / "odd.csv"
    plain.write_text("\n".join(ROWS) + "\n")
    lines = ["# made by hand, 3 commands", *ROWS[:2], "  # between", *ROWS[2:]]
    odd.write_text("\n".join(line if "#" in line else line.lower().replace(",", separator) for line in lines) + "\n")
    expected, got = load_stream(plain, device), load_stream(odd, device)
    assert got._replace(line=expected.line)[1:] and all((a == b).all() for a, b in zip(got[:-1], expected[:-1], strict=True))
    assert got.line.tolist() == [3, 5, 6]


@pytest.mark.parametrize(
    "name, header",
    [
        ("gddr6_14000_1250mV", "clock,command,channel,bank_group,bank,row,column"),
        ("hbm3_6400", "clock,command,channel,pseudo_channel,sid,bank_group,bank,row,column"),
        ("ddr5_4800", "clock,command,channel,rank,bank_group,bank,row,column"),
    ],
)
def test_the_header_to_write_is_said(name: str, header: str, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("0,ACT,0,0,1,2,7,0\n")
    with pytest.raises(TraceError, match=f"s.csv:1: the first line is no header: .*put this line before it: {header}$"):
        load_stream(path, load_hardware(name))


def test_levels_are_read_checked_and_written(tmp_path: Path) -> None:
    device, path, out = load_hardware("hbm3_6400"), tmp_path / "s.csv", tmp_path / "o.csv"
    head = "command,channel,pseudo_channel,sid,bank_group,bank,row,column\n"
    path.write_text(f"{head}ACT,0,1,0,2,1,5,\nACT,0,1,1,2,1,5,\nPREab,0,1,1,-1,-1,-1,-1\n")
    trace = load_stream(path, device, need_clock=False)
    assert trace.unit.tolist() == [2, 3, 3]
    write_stream(out, [schedule_stream(trace, device)], device)
    assert out.read_text().split("\n")[1:4] == ["0,ACT,0,1,0,2,1,5,", "8,ACT,0,1,1,2,1,5,", "100,PREab,0,1,1,,,,"]
    path.write_text(f"{head}ACT,0,2,0,2,1,5,\n")
    with pytest.raises(TraceError, match=r"s\.csv:2: pseudo_channel 2 is out of range; allowed: 0 to 1"):
        load_stream(path, device, need_clock=False)
    path.write_text(f"{head}ACT,0,1,,2,1,5,\n")
    with pytest.raises(TraceError, match=r"s\.csv:2: ACT needs a pseudo_channel and sid"):
        load_stream(path, device, need_clock=False)
    path.write_text(f"{head.replace('sid,', '')}ACT,0,1,2,1,5,\n")
    with pytest.raises(TraceError, match=r"s\.csv:1: column 'sid' is missing"):
        load_stream(path, device, need_clock=False)


def test_a_level_of_one_unit_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("command,channel,bank_group,bank,row,column\nACT,0,7,3,5,\n")
    assert load_stream(path, load_hardware("ddr5_4800"), need_clock=False).unit.tolist() == [0]
    with pytest.raises(TraceError, match="column 'rank' is missing"):
        load_stream(path, load_hardware("ddr5_4800", ["dram.ranks=2"]), need_clock=False)


LPDDR5 = "command,channel,rank,bank_group,bank,row,column\n"


@pytest.mark.parametrize(
    "body, message",
    [
        (
            "ACT1,0,0,0,0,5,\nACT2,0,0,0,0,5,\nRD,0,0,0,0,5,0\n",
            "4: RD can issue at no clock: the data clock has stopped; it needs CAS_RD",
        ),
        (
            "ACT1,0,0,0,0,5,\nACT2,0,0,0,0,5,\nCAS_WR,0,0,0,0,5,0\nRD,0,0,0,0,5,0\n",
            "4: CAS_WR can issue at no clock: it must stand directly before",
        ),
        (
            "ACT1,0,0,0,0,5,\nACT2,0,0,0,0,5,\nCAS_RD,0,0,0,0,5,0\n",
            "4: CAS_RD can issue at no clock: it must stand directly before RD/RDA of its rank",
        ),
        (
            "ACT1,0,0,0,0,5,\nPREpb,0,0,0,0,,\n",
            "3: PREpb can issue at no clock: it comes between the two commands of an activation",
        ),
        ("ACT2,0,0,0,0,5,\n", "2: ACT2 can issue at no clock: it needs the first command of an activation"),
        (
            "ACT1,0,0,0,0,5,\nACT1,0,0,1,0,5,\nACT1,0,0,2,0,5,\nACT1,0,0,3,0,5,\nACT2,0,0,0,0,5,\n",
            "6: ACT2 can issue at no clock: ACT1 was more than nAAD = 8 CK before it",
        ),
    ],
)
def test_streams_that_no_clock_makes_legal(body: str, message: str, tmp_path: Path) -> None:
    device, path = load_hardware("lpddr5_6400"), tmp_path / "s.csv"
    path.write_text(LPDDR5 + body)
    with pytest.raises(TraceError, match=message):
        schedule_stream(load_stream(path, device, need_clock=False), device)
