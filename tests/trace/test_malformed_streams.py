"""Malformed streams end in TraceError with file and line, quickly and with bounded memory, and nothing is written."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.errors import TraceError
from pimsim.trace import Auditor, Scheduler, load_stream, read_stream, write_stream

HEADER = "clock,command,channel,bank_group,bank,row,column"
GOOD = f"{HEADER}\n0,ACT,0,1,2,7,0\n30,RD,0,1,2,7,5\n"


@pytest.fixture(scope="module")
def device() -> Device:
    return load_hardware("gddr6_14000_1250mV")


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "stream.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def audit_file(path: Path, device: Device) -> None:
    auditor = Auditor(device, where=str(path))
    for part in read_stream(path, device):
        auditor.feed(part)


BAD_ROWS = {
    "truncated line": ("40,RD,0,1,2", "5 fields, the header has 7"),
    "line cut in the middle": ("40,RD,0", "3 fields, the header has 7"),
    "too many fields": ("40,RD,0,1,2,7,5,9", "8 fields, the header has 7"),
    "unknown command": ("40,RDD,0,1,2,7,5", "unknown command 'RDD' (did you mean 'RD'?)"),
    "empty command": ("40,,0,1,2,7,5", "unknown command ''"),
    "bank": ("40,RD,0,1,4,7,5", "bank 4 is out of range; allowed: 0 to 3"),
    "bank group": ("40,RD,0,4,2,7,5", "bank_group 4 is out of range; allowed: 0 to 3"),
    "row": ("40,RD,0,1,2,16384,5", "row 16384 is out of range; allowed: 0 to 16383"),
    "channel": ("40,RD,1,1,2,7,5", "channel 1 is out of range; allowed: 0 to 0"),
    "no channel": ("40,RD,,1,2,7,5", "RD needs a channel"),
    "column": ("40,RD,0,1,2,7,64", "column 64 is out of range; allowed: 0 to 63"),
    "negative": ("40,RD,0,1,2,7,-2", "column -2 is out of range"),
    "no bank": ("40,RD,0,1,,7,5", "RD needs a bank; allowed: 0 to 3"),
    "no bank group": ("40,PREpb,0,,1,7,5", "PREpb needs a bank_group"),
    "no row": ("40,ACT,0,1,3,,5", "ACT needs a row"),
    "no column": ("40,RD,0,1,2,7,", "RD needs a column"),
    "clock backwards": ("29,RD,0,1,2,7,5", "clock 29 goes backwards: channel 0 was at clock 30 in line 3"),
    "fractional clock": ("40.5,RD,0,1,2,7,5", "clock '40.5' is not a whole number"),
    "exponent": ("4e1,RD,0,1,2,7,5", "clock '4e1' is not a whole number"),
    "digits apart": ("4_0,RD,0,1,2,7,5", "clock '4_0' is not a whole number"),
    "text": ("40,RD,zero,1,2,7,5", "channel 'zero' is not a whole number"),
    "no clock": (",RD,0,1,2,7,5", "the clock is empty or negative"),
    "negative clock": ("-1,RD,0,1,2,7,5", "the clock is empty or negative"),
    "clock beyond 64 bits": ("99999999999999999999,RD,0,1,2,7,5", "is not a whole number"),
}


@pytest.mark.parametrize("row, message", BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_row_is_named_with_its_line(row: str, message: str, tmp_path: Path, device: Device) -> None:
    path = write(tmp_path, f"{GOOD}{row}\n50,PREpb,0,1,2,,\n")
    with pytest.raises(TraceError) as raised:
        audit_file(path, device)
    assert str(raised.value).startswith(f"{path}:4: ")
    assert message in str(raised.value)


BAD_FILES = {
    "empty": (b"", ":1: is empty"),
    "blank lines": (b"\n\n \n", ":1: is empty"),
    "header only": (f"{HEADER}\n".encode(), ":1: holds no commands"),
    "no header": (
        b"0,ACT,0,1,2,7,0\n",
        ":1: the first line is no header: '0,ACT,0,1,2,7,0'; put this line before it: clock,command,",
    ),
    "missing column": (b"clock,command,channel,bank_group,bank,col,column\n", ":1: column 'row' is missing"),
    "doubled column": (f"{HEADER},Bank_Group\n".encode(), ":1: column 'bank_group' is given 2 times"),
    "binary": (b"\x7fELF\x02\x01\x01\x00" * 100, ":1: is a binary file"),
    "binary later": (GOOD.encode() + b"4\x005", ":4: is a binary file"),
    "utf-16": (GOOD.encode("utf-16"), ":1: is a binary file"),
    "line end inside a field": (GOOD.encode() + b'40,"R\rD",0,1,2,7,5\n', ":4: unknown command"),
    "open quote": (GOOD.encode() + b'40,"RD,0,1,2,7,5\n50,RD,0,1,2,7,5\n', ":4: 2 fields, the header has 7"),
    "long quoted field": (GOOD.encode() + b'40,"' + b"x" * 200_000 + b'",0,1,2,7,5\n', ":4: field larger than"),
    "one long line": (GOOD.encode() + b"x" * 100_000, ":4: line is longer than"),
    "random bytes": (bytes(k % 251 + 1 for k in range(5000)), ":1: the first line is no header"),
}


@pytest.mark.parametrize("content, message", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file(content: bytes, message: str, tmp_path: Path, device: Device) -> None:
    path = write(tmp_path, content)
    with pytest.raises(TraceError) as raised:
        audit_file(path, device)
    assert f"{path}{message}" in str(raised.value)


def test_missing_file_and_folder(tmp_path: Path, device: Device) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TraceError, match="cannot be read"):
            load_stream(path, device)


def test_spellings_of_other_tools_are_read(tmp_path: Path, device: Device) -> None:
    plain = load_stream(write(tmp_path, GOOD), device)
    text = "\ufeffClock,COMMAND,Note,Channel,Rank,BankGroup,Bank,Row,Column\r\n0,ACT,a,0,0,1,2,7,0\r\n\r\n 30 ,RD ,b,0,0,1,2,7, 5\r\n"
    other = load_stream(write(tmp_path, text), device)
    quoted = load_stream(write(tmp_path, GOOD.replace("RD", '"RD"').replace("ACT,0", 'ACT,"0"')), device)
    assert [field.tolist() for field in other[:-1]] == [field.tolist() for field in plain[:-1]]
    assert [field.tolist() for field in quoted] == [field.tolist() for field in plain]
    assert other.line.tolist() == [2, 4]


def test_minus_one_is_empty_and_all_bank_commands_have_no_bank(tmp_path: Path, device: Device) -> None:
    empty = load_stream(write(tmp_path, f"{HEADER}\n0,PREab,0,,,,\n"), device)
    minus = load_stream(write(tmp_path, f"{HEADER}\n0,PREab,0,-1,-1,-1,-1\n"), device)
    filled = load_stream(write(tmp_path, f"{HEADER}\n0,PREab,0,1,2,-1,-1\n"), device)
    assert [f.tolist() for f in empty] == [f.tolist() for f in minus] == [f.tolist() for f in filled]


def test_schedule_needs_no_clock(tmp_path: Path, device: Device) -> None:
    without_values = load_stream(write(tmp_path, GOOD.replace("\n30,", "\n,")), device, need_clock=False)
    without_column = "\n".join(line.split(",", 1)[1] for line in GOOD.strip().split("\n"))
    no_column = load_stream(write(tmp_path, without_column), device, need_clock=False)
    assert without_values.clock.tolist() == [0, -1]
    assert no_column.clock.tolist() == [-1, -1]
    assert Scheduler(device).feed(no_column).clock.tolist() == [0, 30]


def test_schedule_refuses_what_no_clock_makes_legal(tmp_path: Path, device: Device) -> None:
    trace = load_stream(write(tmp_path, GOOD.replace("2,7,5", "2,8,5")), device)
    with pytest.raises(TraceError, match="3: RD can issue at no clock: it needs its row open, but another row is"):
        Scheduler(device).feed(trace)


def test_written_stream_is_read_back(tmp_path: Path, device: Device) -> None:
    trace = load_stream(write(tmp_path, GOOD + "90,PREab,0,,,,\n"), device)
    assert write_stream(tmp_path / "out.csv", [trace], device) == 3
    assert (tmp_path / "out.csv").read_text() == GOOD + "90,PREab,0,,,,\n"


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, device: Device) -> None:
    path = write(tmp_path, GOOD + "junk\n")
    out = tmp_path / "out.csv"
    out.write_text("before")
    with pytest.raises(TraceError):
        write_stream(out, read_stream(path, device), device)
    assert out.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "stream.csv"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    position=st.integers(0, len(GOOD)),
    cut=st.integers(0, 12),
    junk=st.one_of(st.binary(max_size=6), st.sampled_from([b",", b"\n", b'"', b"\r", b"-", b"999999999999", b"_", b"\xff"])),
)
def test_any_damage_ends_in_a_trace_error_or_a_stream(
    position: int, cut: int, junk: bytes, tmp_path: Path, device: Device
) -> None:
    damaged = GOOD.encode()
    path = write(tmp_path, damaged[:position] + junk + damaged[position + cut :])
    try:
        audit_file(path, device)
    except TraceError as error:
        assert str(error).startswith(f"{path}:")


@pytest.mark.skipif(sys.platform == "win32", reason="sparse files and devices of POSIX")
def test_a_gigabyte_of_garbage_is_refused_without_loading_it(tmp_path: Path, device: Device) -> None:
    path = tmp_path / "huge.csv"
    with open(path, "wb") as file:
        file.write(GOOD.encode())
        file.truncate(1 << 30)
    tracemalloc.start()
    with pytest.raises(TraceError, match=":4: is a binary file"):
        load_stream(path, device)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


def test_large_streams_are_read_in_parts(tmp_path: Path, device: Device) -> None:
    path = write(tmp_path, HEADER + "\n" + "".join(f"{k},PREpb,0,{k % 4},0,,\n" for k in range(200_000)))
    parts = list(read_stream(path, device))
    assert len(parts) > 1
    assert sum(part.commands for part in parts) == 200_000
    assert [int(part.line[0]) for part in parts] == [2, *(int(part.line[-1]) + 1 for part in parts[:-1])]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pimsim.cli", "trace", *arguments, "--hardware", "gddr6_14000_1250mV"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_line(tmp_path: Path) -> None:
    path, out = write(tmp_path, GOOD), tmp_path / "scheduled.csv"
    assert run("schedule", str(path), "--out", str(out)).returncode == 0
    assert out.read_text() == GOOD
    report = tmp_path / "report.json"
    legal = run("audit", str(out), "--tight", "--json", str(report))
    assert (legal.returncode, legal.stderr) == (0, "")
    assert '"legal": true' in report.read_text()
    path.write_text(GOOD.replace("\n30,", "\n29,"))
    illegal = run("audit", str(path))
    assert illegal.returncode == 1
    assert f"{path}:3: RD at clock 29" in illegal.stdout
    assert "bank: ACT -> RD: nRCDRD = 30, after ACT in line 2 at clock 0" in illegal.stdout


@pytest.mark.parametrize("verb", ["schedule", "audit"])
def test_command_line_on_a_malformed_stream(verb: str, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "40,RDD,0,1,2,7,5\n")
    extra = ["--out", str(tmp_path / "out.csv")] if verb == "schedule" else ["--json", str(tmp_path / "out.csv")]
    done = run(verb, str(path), *extra)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {path}:4: unknown command 'RDD'")
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["stream.csv"]
