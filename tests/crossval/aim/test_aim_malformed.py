"""Malformed traces end in one message with the line number, exit code 2, bounded memory and nothing half-written."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pimsim.aim import parse
from pimsim.aim.run import run_trace
from pimsim.config.load import load_hardware
from pimsim.errors import ConfigError, TraceError

GOOD = b"# comment\n\nAiM WR_GB 2 0 0xff\nW MEM 31 15 16383\nAiM ISR_RD_MAC 0 1   \n"
END = b"AiM EOC\n"
CASES = {
    "empty": (b"", 1, "AiM EOC"),
    "no_end": (GOOD, 5, "ends here without 'AiM EOC'"),
    "only_comments": (b"# a\n# b\n", 2, "AiM EOC"),
    "cut_in_the_middle": (GOOD + b"AiM MAC_ABK 64 0xff", 6, "MAC_ABK takes 3 fields (opsize mask row), not 2"),
    "cut_in_a_word": (GOOD + b"AiM MAC_AB", 6, "unknown instruction 'MAC_AB' (did you mean 'MAC_ABK'?)"),
    "cut_after_the_first_word": (GOOD + b"AiM", 6, "cut short"),
    "too_many_fields": (GOOD + b"AiM RD_MAC 0 1 1\n" + END, 6, "RD_MAC takes 2 fields (GPR0 mask), not 3"),
    "unknown_instruction": (b"AiM MUL 1 1\n" + END, 1, "unknown instruction 'MUL'"),
    "unknown_first_word": (b"aim SYNC\n" + END, 1, "'aim' must be AiM, R or W (did you mean 'AiM'?)"),
    "unknown_region": (b"R MAM 0 0 0\n" + END, 1, "unknown instruction 'R MAM' (did you mean 'R MEM'?)"),
    "unsupported": (b"AiM WR_AFLUT 4\n" + END, 1, "WR_AFLUT is not supported"),
    "bank": (GOOD + b"AiM MAC_SBK 1 1 16 0\n" + END, 6, "MAC_SBK: bank 16 must be 0..15"),
    "plain_bank": (b"R MEM 0 16 0\n" + END, 1, "R MEM: bank 16 must be 0..15"),
    "row": (b"R MEM 0 0 16384\n" + END, 1, "R MEM: row 16384 must be 0..16383"),
    "channel": (b"R MEM 32 0 0\n" + END, 1, "R MEM: channel 32 must be 0..31"),
    "mask_too_wide": (b"AiM RD_MAC 0 0x100000000\n" + END, 1, "mask 0x100000000 must be 0x1..0xffffffff"),
    "mask_empty": (b"AiM RD_MAC 0 0\n" + END, 1, "mask 0 must be 0x1..0xffffffff"),
    "two_channels": (b"AiM WR_ABK 0 3 0\n" + END, 1, "WR_ABK: mask 0x3 names 2 channels, must name exactly one"),
    "opsize": (b"AiM MAC_ABK 0 1 0\n" + END, 1, "opsize 0 must be 1..1048576"),
    "opsize_too_large": (b"AiM MAC_ABK 99999999999999999999 1 0\n" + END, 1, "must be 1..1048576"),
    "opsize_of_many_digits": (b"AiM MAC_ABK " + b"9" * 4000 + b" 1 0\n" + END, 1, "whole number"),
    "negative": (b"AiM MAC_ABK -1 1 0\n" + END, 1, "opsize '-1' must be a whole number"),
    "fraction": (b"AiM MAC_ABK 1.5 1 0\n" + END, 1, "opsize '1.5' must be a whole number"),
    "underscore": (b"AiM MAC_ABK 0x1_0 1 0\n" + END, 1, "opsize '0x1_0' must be a whole number"),
    "register": (b"W CFR 3 0\n" + END, 1, "W CFR: CFR 3 must be 0..2"),
    "after_the_end": (END + b"\n# fine\nAiM SYNC\n", 4, "'AiM SYNC' after 'AiM EOC' of line 1"),
    "zero_bytes": (GOOD + b"AiM \0\0\n" + END, 6, "not a text file"),
    "binary": (bytes(range(1, 256)) * 40, 1, "must be AiM, R or W"),
    "one_long_line": (b"A" * 100_000, 1, "longer than 4096 bytes"),
    "utf16": ("AiM EOC\n".encode("utf-16"), 1, "not a text file"),
}


@pytest.mark.parametrize(("data", "line", "message"), CASES.values(), ids=CASES)
def test_message_and_line(data, line, message, tmp_path, device):
    path = tmp_path / "bad.trace"
    path.write_bytes(data)
    with pytest.raises(TraceError) as error:
        run_trace(path, device())
    assert str(error.value).startswith(f"{path}: line {line}: ")
    assert message in str(error.value) and len(str(error.value)) < 600 and str(error.value).isprintable()


def test_what_is_allowed(tmp_path, device):
    path = tmp_path / "good.trace"
    variants = [GOOD + END, (GOOD + END).replace(b"\n", b"\r\n"), GOOD + b"AiM EOC", GOOD + END + b"\n# the end \xe2\x9c\x93\n"]
    results = []
    for data in variants:
        path.write_bytes(data)
        results.append(run_trace(path, device()))
    assert results[0].instructions == 4 and results.count(results[0]) == len(results)


def test_too_many_lines(tmp_path, device, monkeypatch):
    monkeypatch.setattr(parse, "MAX_LINES", 100)
    path = tmp_path / "long.trace"
    path.write_bytes(b"W GPR 0\n" * 99 + END)
    assert run_trace(path, device()).instructions == 100
    path.write_bytes(b"W GPR 0\n" * 100 + END)
    with pytest.raises(TraceError, match=r"line 101: longer than 100 lines"):
        run_trace(path, device())


def test_no_file_and_folder(tmp_path, device):
    for path in (tmp_path / "none.trace", tmp_path):
        with pytest.raises(TraceError, match="cannot be read"):
            run_trace(path, device())


def test_device_without_these_commands(tmp_path):
    path = tmp_path / "good.trace"
    path.write_bytes(END)
    for name in ("pim_gpt", "gddr6_14000_1250mV"):
        with pytest.raises(ConfigError, match="must be GDDR6_AiM"):
            run_trace(path, load_hardware(name))
    with pytest.raises(ConfigError, match="at most 64"):
        run_trace(path, load_hardware("gddr6_aim", ["dram.channels=65"]))


def pimsim(*arguments: str, limit_bytes: int = 0) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if limit_bytes:
            resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", "pimsim.cli", "trace", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=60)


def test_huge_file_is_refused_in_bounded_memory(tmp_path):
    """A sparse gigabyte: refused at its first line, in an address space that would not hold it."""
    path = tmp_path / "huge.trace"
    with path.open("wb") as file:
        file.truncate(1 << 33)
    done = pimsim(str(path), limit_bytes=4 << 30)
    assert done.returncode == 2 and f"{path}: line 1: " in done.stderr and "Traceback" not in done.stderr


def test_command_line(tmp_path):
    good, bad, out, commands = (tmp_path / name for name in ("good.trace", "bad.trace", "out.json", "commands.csv"))
    good.write_bytes(GOOD + END)
    bad.write_bytes(GOOD + b"AiM MAC_SBK 1 1 16 0\n" + END)
    done = pimsim(str(good), "--hardware", "gddr6_aim", "--json", str(out), "--commands", str(commands))
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert f"memory_system_cycles {report['memory_system_cycles']}" in done.stdout
    assert report["commands_by_kind"]["WRGB"] == 16 and report["commands"]["WR_GB"] == 16
    lines = commands.read_text().splitlines()
    assert lines[0] == "clock,command,channel,bank_group,bank,row,column"
    assert len(lines) - 1 == sum(report["commands"].values())
    kept = out.read_text(), commands.read_text()
    done = pimsim(str(good), str(bad), "--json", str(out))
    assert done.returncode == 2 and done.stderr == f"error: {bad}: line 6: MAC_SBK: bank 16 must be 0..15\n"
    done = pimsim(str(bad), "--commands", str(commands))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert (out.read_text(), commands.read_text()) == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.trace", "commands.csv", "good.trace", "out.json"]
    done = pimsim(str(good), str(good), "--json", str(out))
    assert [entry["trace"] for entry in json.loads(out.read_text())] == ["good.trace", "good.trace"]
    assert Path(out).stat().st_size > 0 and done.returncode == 0
