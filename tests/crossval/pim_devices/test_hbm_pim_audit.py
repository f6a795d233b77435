"""The auditor, with HBM2's complete rules and the peer's times, accepts the peer's logs but for its named faults (DEVIATIONS.md).

The peer's activation takes one CK, HBM2's two; times count from its end, so an activation logged at a CK began the CK before.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import pytest

from pimsim.config.load import load_hardware
from pimsim.engine.audit import Auditor
from pimsim.peers.devices import HBM_PIM
from pimsim.trace.read import read_stream

COMMANDS = Path(__file__).parent / "commands"
LOGS = sorted(path.name.removesuffix(".csv.gz") for path in COMMANDS.glob("hbmpim_*"))
NAMES = {"ACT": "ACT", "PRE": "PREpb", "RD": "RD", "WR": "WR", "REF": "REFab"}
FAULTS = {
    ("WR", "pseudo_channel: RD -> WR: nCL + nBL + 2 - nCWL = 16"): "HBM-2",
    ("REFab", "pseudo_channel: PREpb -> REFab: nRP = 14"): "HBM-3",
    ("REFab", "pseudo_channel: ACT -> REFab: nRC = 48"): "HBM-3",
    ("REFab", "pseudo_channel: ACT -> REFab: nRC = 47"): "HBM-3",
    ("PREpb", "channel: row bus: ACT takes 2 ticks"): "HBM-4",
}


def device():
    known = {name: value for name, value in HBM_PIM.cycles.items() if name != "nRTW"}
    times = {**known, "nWTRS": HBM_PIM.cycles["nWTRL"], "nFAW": 4 * HBM_PIM.cycles["nRRDS"]}
    return load_hardware("hbm2_2000", [f"dram.timing.{name}={value}" for name, value in times.items()])


def audited(name: str, folder: Path, early: int = -1) -> Counter[tuple[str, str]]:
    """Broken rules of a log, with command ``early`` a CK earlier."""
    entries = list(csv.DictReader(io.StringIO(gzip.decompress((COMMANDS / f"{name}.csv.gz").read_bytes()).decode())))
    if early >= 0:
        entries[early]["clock"] = str(int(entries[early]["clock"]) - 1)
    rows = []
    for entry in entries:
        clock, bank, command = int(entry["clock"]), int(entry["bank"]), entry["command"]
        if command == "REF" and entry["mode"] == "SB" and clock % HBM_PIM.cycles["nREFI"] == 0:
            continue  # the other rank's
        group = "," if command == "REF" else f"{bank // 4},{bank % 4}"
        row = entry["row"] if command in ("ACT", "RD", "WR") else ""
        column = entry["column"] if command in ("RD", "WR") else ""
        rows.append((clock - (command == "ACT"), f"{NAMES[command]},0,0,{group},{row},{column}"))
    path = folder / "log.csv"
    lines = [f"{clock},{text}\n" for clock, text in sorted(rows)]
    path.write_text("clock,command,channel,pseudo_channel,bank_group,bank,row,column\n" + "".join(lines))
    own = device()
    auditor = Auditor(own, limit=100_000)
    for part in read_stream(path, own):
        auditor.feed(part)
    return Counter((finding.command, str(finding.rule)) for finding in auditor.report().violations)


@pytest.mark.parametrize("name", LOGS)
def test_only_named_faults(name, tmp_path):
    found = audited(name, tmp_path)
    assert set(found) <= set(FAULTS), set(found) - set(FAULTS)
    assert found[("WR", "pseudo_channel: RD -> WR: nCL + nBL + 2 - nCWL = 16")] > 0


def test_a_command_that_comes_early_is_found(tmp_path):
    """The 100th to 110th commands are MACs that follow each other at nCCDL."""
    normal = audited(LOGS[3], tmp_path)
    for k in range(100, 110):
        assert audited(LOGS[3], tmp_path, early=k) - normal
