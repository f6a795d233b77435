"""Every trace of the reference set: cycles, command counts, and where a log exists every command at its cycle."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from pimsim.aim import run as aim_run
from pimsim.aim.names import PEER_NAMES
from pimsim.aim.run import AimRun, run_trace

HERE = Path(__file__).parent
ROWS = list(csv.DictReader((HERE / "results.csv").open()))
LOGS = sorted(path.name.removesuffix(".cmds.gz") for path in (HERE / "commands").glob("*.cmds.gz"))
# The peer logs the address of the request; these commands have none of their own.
ROWLESS = {"PRE", "PREA", "TMOD"}


def test_reference_set_is_complete():
    assert len(ROWS) == 33 and len(LOGS) == 8
    assert {row["name"] for row in ROWS} == {path.name.removesuffix(".trace.gz") for path in (HERE / "traces").iterdir()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_cycles_and_counts(row, trace_path, device):
    result = run_trace(trace_path(row["name"]), device())
    assert result.memory_system_cycles == int(row["cycles"])
    assert result.commands_by_kind == json.loads(row["commands_by_kind"])


def peer_log(name: str) -> list[tuple[int, int, str, int, int, int]]:
    entries = []
    for line in gzip.decompress((HERE / "commands" / f"{name}.cmds.gz").read_bytes()).decode().splitlines():
        cycle, channel, command, group, bank, row, _ = line.split()
        place = (-1, -1) if command == "TMOD" else (int(group), int(bank))
        entries.append((int(cycle), int(channel), command, *place, -1 if command in ROWLESS else int(row)))
    return sorted(entries)


@pytest.mark.parametrize("name", LOGS)
def test_every_command_at_its_cycle(name, stream, trace_path, device):
    got = stream(trace_path(name))
    kinds = [PEER_NAMES[device().standard.command_names[code]] for code in got.command]
    rows = np.where(np.isin(kinds, list(ROWLESS)), -1, got.row)
    columns = (got.clock.tolist(), got.channel.tolist(), kinds, got.bank_group.tolist(), got.bank.tolist(), rows.tolist())
    assert sorted(zip(*columns, strict=True)) == peer_log(name)


def test_parts_come_in_order_of_clock_and_channel(stream, trace_path):
    got = stream(trace_path("fuzz0"))
    assert np.array_equal(np.lexsort((got.channel, got.clock)), np.arange(got.commands))


def test_logging_changes_nothing(trace_path, device):
    logged = AimRun(trace_path("fuzz1"), device(), log=True)
    assert sum(part.commands for part in logged.parts()) == sum(logged.result().commands.values())
    assert logged.result() == run_trace(trace_path("fuzz1"), device())


def test_run_in_small_pieces(trace_path, device, stream, monkeypatch):
    """A full log or a spent budget interrupts a run and changes nothing."""
    whole = stream(trace_path("fuzz3"))
    monkeypatch.setattr(aim_run, "_LOG_ENTRIES", 150)
    monkeypatch.setattr(aim_run, "_TICKS_AT_ONCE", 997)
    pieces = stream(trace_path("fuzz3"))
    assert all(np.array_equal(a, b) for a, b in zip(whole[:-1], pieces[:-1], strict=True))


@pytest.mark.parametrize("name", ["all_isr", "gemv_768x768_8ch_reuse32", "micro_wrbias_1024_16banks", "fuzz2"])
@pytest.mark.parametrize("quirks", ["aim_simulator", "none"])
def test_skipping_changes_nothing(name, quirks, trace_path, device):
    overrides = (f"controller.quirks={quirks}", "dram.refresh.mode=all_bank")
    assert run_trace(trace_path(name), device(*overrides)) == run_trace(trace_path(name), device(*overrides), skip=False)
