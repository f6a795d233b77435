"""Every command of a token, exported: the auditor accepts it, its addresses are those of the placement, slices are sound."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pimsim.cli import app
from pimsim.engine.audit import Auditor
from pimsim.engine.command_trace import CommandTrace, concatenate
from pimsim.recording import TokenRecord, record_token
from pimsim.trace.export import export_step, pieces
from pimsim.trace.perfetto import write_perfetto

SMALL = ("workload.model.layers=3", "workload.model.vocabulary=900", "workload.model.max_context=64")
SETTINGS = {
    "as shipped": (),
    "often refreshed": ("dram.timing.tREFI_ns=1500", "dram.refresh.max_postponed=0"),
    "bank by bank": ("dram.refresh.mode=per_bank", "dram.refresh.max_postponed=1", "dram.timing.tREFI_ns=9000"),
    "overlap": ("controller.issue=overlap", "dram.channels=3"),
    "grouped": (
        "pim.all_bank_activation.grouped_by=4",
        "pim.all_bank_activation.obey_tFAW=true",
        "dram.refresh.max_postponed=0",
        "dram.timing.tRCD_ns=17.3",
        "dram.timing.tCCD_ns=2",
        "dram.timing.tREFI_ns=2000",
    ),
    "row per output": ("mapping=row_per_output", "pim.global_buffer_bytes=512"),
}


def _record(token: int, settings: tuple[str, ...]) -> TokenRecord:
    return record_token("pim_gpt", "gpt2_small", token, settings=(*SMALL, *settings))


def _trace(record: TokenRecord, layer: int | None = None) -> CommandTrace:
    return concatenate(list(export_step(record.device, record.placement, record.step, layer)))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("token", [1, 18])
def test_auditor_accepts_a_token(name: str, token: int) -> None:
    record = _record(token, SETTINGS[name])
    trace = _trace(record)
    auditor = Auditor(record.device, refresh=token == 1)
    auditor.feed(trace)
    report = auditor.report()
    assert report.legal, report.lines()
    own = sum(int(block.count.sum()) for row, _ in record.step.program.unrolled() for block in row.blocks if block)
    assert trace.commands == own + int((record.step.log[:, 2] < 0).sum())


@pytest.mark.slow
@pytest.mark.parametrize("token", [1, 1024])
def test_auditor_accepts_a_token_of_gpt3_xl(token: int) -> None:
    record = record_token("pim_gpt", "gpt3_xl", token)
    auditor = Auditor(record.device, refresh=token == 1)
    for part in export_step(record.device, record.placement, record.step):
        auditor.feed(part)
    report = auditor.report()
    assert report.legal, report.lines()
    assert report.commands > 5_700_000


def test_a_command_moved_early_is_refused() -> None:
    record = _record(1, ())
    trace = _trace(record)
    k = int(np.flatnonzero(trace.command == record.device.table.code["MAC_AB"])[0])
    trace.clock[k] -= 1
    auditor = Auditor(record.device)
    auditor.feed(trace)
    first = auditor.report().violations[0]
    assert (first.kind, first.line, first.cycles) == ("timing", k, 1) and "WR_GB -> MAC_AB" in first.rule


@pytest.mark.parametrize("token", [1, 17, 40])
def test_values_are_written_where_they_are_read(token: int) -> None:
    """V is column-major: token t writes column t // lanes of each slot, and p x V of that token reads the same columns."""
    record = _record(token, ())
    device, written, read = record.device, set(), set()
    for piece in pieces(device, record.placement, record.step):
        if piece.instruction.region == "v":
            names = np.array(device.standard.command_names)[piece.log[:, 3]]
            layer = piece.layer
            for name, count, row, column in zip(names, piece.log[:, 1], piece.row, piece.column, strict=True):
                if name == "WR":
                    written.add((layer, piece.channel, row, column))
                elif name == "MAC_AB":
                    read |= {(layer, piece.channel, row, column + k) for k in range(count)}
    assert written and written <= read
    assert {row for _, _, row, _ in read} <= {
        row
        for layer in range(3)
        for region in [record.placement.regions[f"h{layer}.v"]]
        for row in range(region.base_row, region.base_row + region.rows)
    }


def test_every_layer_works_on_rows_of_its_own() -> None:
    record = _record(2, ())
    opened = [set(_trace(record, layer).row.tolist()) - {-1} for layer in range(3)]
    assert opened[0] and not opened[0] & opened[1] and not opened[1] & opened[2]


def test_perfetto_slices(tmp_path: Path) -> None:
    record = _record(2, SETTINGS["often refreshed"])
    count = write_perfetto(tmp_path / "t.json", record.device, record.placement, record.step)
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    assert len(slices) == count
    tracks = {(e["pid"], e.get("tid")): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    kinds = Counter(tracks[s["pid"], s["tid"]].split()[0] for s in slices)
    assert set(kinds) == {"channel", "bank", "arithmetic", "operations"}
    assert {s["cat"] for s in slices} == {"operation", "asic", "command", "row", "refresh"}
    assert min(s["ts"] for s in slices) == 0 and all(s["dur"] > 0 or s["cat"] in ("asic", "operation") for s in slices)
    opened = [s for s in slices if tracks[s["pid"], s["tid"]].startswith("bank") and "ACT_AB" in s["name"]]
    assert len(opened) == record.device.organization.banks * sum(
        "ACT_AB" in s["name"] for s in slices if "commands" in tracks[s["pid"], s["tid"]]
    )
    operations = [s for s in slices if tracks[s["pid"], s["tid"]] == "operations"]
    assert {"scores", "ffn1"} <= {s["name"].split()[0] for s in operations}
    commands = [s for s in slices if "commands" in tracks[s["pid"], s["tid"]]]
    assert sum(s["args"]["commands"] for s in commands) == _trace(record).commands
    assert {"scores MAC_AB", "refresh REFab", "v_write WR"} <= {s["name"] for s in commands}
    for track in tracks:
        mine = sorted((s["ts"], s["dur"]) for s in slices if (s["pid"], s["tid"]) == track and " row " not in s["name"])
        assert all(a + d <= b + 1e-9 for (a, d), (b, _) in pairwise(mine)), tracks[track]


def test_a_name_that_ends_in_gz_is_compressed(tmp_path: Path) -> None:
    record = _record(2, ())
    plain, packed = tmp_path / "t.json", tmp_path / "t.json.gz"
    for path in (plain, packed):
        write_perfetto(path, record.device, record.placement, record.step)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.stat().st_size < plain.stat().st_size / 5
    again = tmp_path / "again.json.gz"
    write_perfetto(again, record.device, record.placement, record.step)
    assert again.read_bytes() == packed.read_bytes()


def test_verb_writes_both_formats(tmp_path: Path) -> None:
    runner, settings = CliRunner(), [word for setting in SMALL for word in ("--set", setting)]
    for form in ("csv", "perfetto"):
        out = tmp_path / f"token.{form}"
        line = ["trace", "export", "pim_gpt", "gpt2_small", "--token", "3", "--layer", "1", "--format", form, "--out", str(out)]
        assert runner.invoke(app, [*line, *settings], catch_exceptions=False).exit_code == 0
        assert out.stat().st_size > 1000
    audited = runner.invoke(app, ["trace", "audit", str(tmp_path / "token.csv"), "--hardware", "pim_gpt"])
    assert audited.exit_code == 0 and "legal" in audited.output


@pytest.mark.parametrize("wrong", [("--token", "0"), ("--token", "65"), ("--token", "1", "--layer", "3")])
def test_verb_refuses_what_is_not_there(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    settings = [word for setting in SMALL for word in ("--set", setting)]
    out = tmp_path / "token.csv"
    result = CliRunner().invoke(app, ["trace", "export", "pim_gpt", "gpt2_small", *wrong, "--out", str(out), *settings])
    assert type(result.exception).__name__ == "RequestError"
    assert not out.exists()
