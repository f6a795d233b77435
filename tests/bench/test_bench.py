"""``pimsim bench``: the figures are there and agree with each other and with a RunResult. How fast it is decides no test."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pimsim import simulate
from pimsim.bench import measure
from pimsim.bench.engines import QUICK_CASES, bench_engines, same
from pimsim.bench.measure import Elapsed, median, peak_memory_bytes, timed
from pimsim.bench.request_run import RequestJob, run_in_fresh_process
from pimsim.bench.tables import rate
from pimsim.config.load import load_hardware
from pimsim.engine.fast import FastEngine
from pimsim.errors import BenchError

MIB = 1 << 20


def bench(*arguments):
    return subprocess.run([sys.executable, "-m", "pimsim.cli", "bench", *arguments], capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    done = bench("--quick", "--json", str(path))
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(path.read_text())


def check_rates(row):
    assert row["wall_s"] > 0 and row["cpu_s"] > 0
    for what in ("commands", "channel_cycles"):
        assert row[what] > 0 and row[f"{what}_per_s"] == pytest.approx(row[what] / row["wall_s"])


def test_every_section_is_printed_and_written(quick):
    text, document = quick
    assert list(document) == ["schema_version", "quick", "environment", "engines", "models", "aim", "growth"]
    for word in ("reference", "fast, no skipping", "total", "peer on another machine", "Growth", "MiB"):
        assert word in text
    assert "…" not in text
    assert document["environment"]["cores"] >= 1 and document["environment"]["numba"]


def test_engines_agree_and_their_ratio_is_that_of_their_times(quick):
    rows = {row["engine"]: row for row in quick[1]["engines"]}
    assert list(rows) == ["reference", "fast", "fast, no skipping"]
    assert len({(row["commands"], row["channel_cycles"]) for row in rows.values()}) == 1
    for row in rows.values():
        check_rates(row)
        assert row["equal"]
        assert row["times_reference"] == pytest.approx(rows["reference"]["wall_s"] / row["wall_s"])


@pytest.mark.parametrize("section", ["models", "growth"])
def test_requests_are_those_that_simulate_runs(quick, section):
    rows = quick[1][section]["warm"] if section == "models" else quick[1][section]
    room = max(row["tokens"] for row in rows)
    settings = [] if section == "models" else [f"workload.model.max_context={room}"]
    for row in rows:
        result = simulate("pim_gpt", row["workload"], row["tokens"], 1, settings=settings)
        assert row["commands"] == result.engine["commands"] == sum(result.command_counts.values())
        assert row["channel_cycles"] == sum(sum(causes.values()) for causes in result.cycle_breakdown.values())
        assert row["latency_s"] == result.latency_s
        check_rates(row)
        assert 0 < row["kernel_s"] <= row["wall_s"] < row["process_wall_s"]
        assert row["cpu_s"] < row["process_cpu_s"]
        assert row["peak_memory_bytes"] > 50 * MIB


def test_traces_take_the_peers_cycles(quick):
    aim = quick[1]["aim"]
    for row in aim["traces"]:
        assert row["cycles"] == row["peer_cycles"]
        assert row["channel_cycles"] == 32 * row["cycles"]
        assert row["channel_cycles_per_s"] == pytest.approx(row["channel_cycles"] / row["wall_s"])
        assert row["peer_channel_cycles_per_s"] == pytest.approx(row["channel_cycles"] / row["peer_wall_s"])
        assert row["peer_measured_on"] == "another machine"
    assert aim["set"]["traces"] == len(aim["traces"])
    assert aim["set"]["peer_wall_s"] == pytest.approx(sum(row["peer_wall_s"] for row in aim["traces"]))
    assert aim["set"]["process_wall_s"] > sum(row["wall_s"] for row in aim["traces"])


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_peer_is_run_on_every_trace_in_turns(tmp_path):
    calls, out = tmp_path / "calls", tmp_path / "bench.json"
    peer = script(tmp_path / "peer", f'head -1 "$1" >> {calls}; basename "$1" >> {calls}; sleep 0.05')
    done = bench("--quick", "--aim", "--peer-binary", peer, "--json", str(out))
    assert done.returncode == 0, done.stderr
    document = json.loads(out.read_text())
    rows, called = document["aim"]["traces"], calls.read_text().splitlines()
    assert set(document) == {"schema_version", "quick", "environment", "aim"}
    assert called[1::2] == [f"{row['trace']}.trace" for row in rows] and all(line.startswith("AiM WR_GB") for line in called[::2])
    for row in rows:
        assert row["peer_measured_on"] == "this machine" and row["peer_wall_s"] >= 0.05
    assert "peer on this machine" in done.stdout


def test_a_peer_that_fails_leaves_no_figures(tmp_path):
    out = tmp_path / "bench.json"
    peer = script(tmp_path / "peer", "echo no such trace >&2; exit 3")
    done = bench("--quick", "--aim", "--peer-binary", peer, "--json", str(out))
    assert done.returncode == 2 and not out.exists()
    assert "peer: process ended with code 3: no such trace" in done.stderr and "Traceback" not in done.stderr


BAD_CALLS = {
    "no peer": (["--aim", "--peer-binary", "/nowhere/aim"], "--peer-binary /nowhere/aim: no program there"),
    "peer unused": (["--models", "--peer-binary", "/bin/true"], "--peer-binary is for --aim"),
    "tokens unused": (["--engines", "--tokens", "5"], "--tokens is for --models"),
    "quick sweep": (["--sweep", "--quick"], "--quick has no small case for --sweep"),
    "no tokens": (["--models", "--tokens", "0"], "0 tokens to generate: must be at least 1"),
    "context": (["--models", "--tokens", "5000"], "need a context of 5000 tokens"),
    "folder": (["--engines", "--json", "/nowhere/out.json"], "folder /nowhere does not exist"),
}


@pytest.mark.parametrize("arguments, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_calls_are_refused_before_anything_is_measured(arguments, message):
    done = bench(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


def test_a_process_that_fails_says_why():
    with pytest.raises(BenchError, match=r"gpt2_smal, 4 tokens: process ended with code 1: .*did you mean 'gpt2_small'"):
        run_in_fresh_process(RequestJob("gpt2_smal", 4))


def test_unequal_outcomes_are_told_apart():
    case = replace(QUICK_CASES[0], reference=False, repeats=1)
    assert [row.times_reference for row in bench_engines((case,))] == [None, None]
    one = FastEngine(load_hardware("pim_gpt")).finish([7, 8])
    assert same(one, replace(one, kernel_s=one.kernel_s + 1))
    assert not same(one, replace(one, step_ps=one.step_ps + 1))
    assert not same(one, replace(one, causes=one.causes + np.int64(1)))
    assert not same(one, replace(one, link_bytes=one.link_bytes + 1))


def test_peak_memory_is_this_programs_own():
    program = "from pimsim.bench.measure import peak_memory_bytes as peak; before = peak(); x = b'1' * (64 << 20); print(before, peak())"
    held = b"1" * (200 * MIB)
    before, after = map(int, subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.split())
    assert 60 * MIB < after - before < 80 * MIB
    assert before < len(held) < peak_memory_bytes()


def test_peak_memory_without_the_kernels_file(monkeypatch):
    known = peak_memory_bytes()
    monkeypatch.setattr(measure, "_STATUS", Path("/nowhere"))
    assert known / 2 < peak_memory_bytes() < known * 2


def test_times():
    value, elapsed = timed(lambda: sum(range(200_000)))
    assert value == 19_999_900_000 and elapsed.wall_s > 0
    assert median([Elapsed(3, 1), Elapsed(1, 9), Elapsed(2, 2)]) == Elapsed(2, 2)


@pytest.mark.parametrize(
    "value, text", [(999, "999"), (999.6, "1 k"), (1234, "1.23 k"), (999_999, "1 M"), (6.2e9, "6.2 G"), (0.5, "0.5")]
)
def test_rates_are_short(value, text):
    assert rate(value) == text
