"""Power over time: its integral is the run's energy, part by part, in windows of time and of instructions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pimsim.errors import RequestError
from pimsim.power_trace import PARTS, power_trace
from pimsim.simulation import simulate

SMALL = ("workload.model.layers=2", "workload.model.vocabulary=2048", "workload.model.max_context=64")
DEVICES = [("pim_gpt", ()), ("pim_gpt", ("controller.issue=overlap", "dram.refresh.mode=per_bank")), ("gddr6_aim", ())]


@pytest.mark.parametrize("hardware, settings", DEVICES, ids=str)
@pytest.mark.parametrize("by_instruction", [False, True])
def test_the_integral_is_the_energy(hardware: str, settings: tuple[str, ...], by_instruction: bool) -> None:
    trace = power_trace(hardware, "gpt2_small", 3, settings=(*SMALL, *settings), by_instruction=by_instruction)
    result = simulate(hardware, "gpt2_small", 3, settings=(*SMALL, *settings))
    assert trace.energy_j == pytest.approx(result.energy_j["nominal"], rel=1e-12)
    assert trace.residual_j < 1e-4 * result.energy_j["nominal"]
    assert (trace.edges_ps[0], trace.edges_ps[-1]) == (0, round(result.latency_s * 1e12))
    assert (np.diff(trace.edges_ps) > 0).all() and (trace.energy_pj >= 0).all()
    parts = dict(zip(PARTS, trace.energy_pj.sum(0) * 1e-12, strict=True))
    terms = result.energy_breakdown_j
    assert parts["mac"] == pytest.approx(terms["mac_units"] + terms["global_buffer"], rel=1e-9)
    assert parts["asic"] == pytest.approx(terms["asic_dynamic"] + terms["asic_static"], rel=1e-9)
    assert parts["link"] == pytest.approx(terms["link_io"], rel=1e-9)
    assert trace.peak_w >= result.average_power_w


def test_windows_of_other_lengths_add_up_to_each_other() -> None:
    fine, coarse = (power_trace("pim_gpt", "gpt2_small", 2, settings=SMALL, window_ps=ps) for ps in (500_000, 2_000_000))
    whole = len(coarse.energy_pj) - 1
    summed = fine.energy_pj[: whole * 4].reshape(whole, 4, len(PARTS)).sum(1)
    assert np.allclose(summed, coarse.energy_pj[:whole], rtol=1e-9)
    assert fine.peak_w >= coarse.peak_w


def test_macs_draw_where_macs_are() -> None:
    trace = power_trace("pim_gpt", "gpt2_small", 1, settings=SMALL, by_instruction=True)
    mac = dict.fromkeys(trace.labels, 0.0)
    for label, energy in zip(trace.labels, trace.energy_pj[:, PARTS.index("mac")], strict=True):
        mac[label] += energy
    assert mac["ffn1"] > 0 and mac["qkv"] > 0
    assert mac["gelu"] < 1e-6 * mac["ffn1"]


def test_the_verb_writes_a_table(pimsim_run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "power.csv"
    assert pimsim_run("--power-trace", str(out), "--power-window", "2") == 0
    head, *rows = out.read_text().splitlines()
    assert head == "start_s,end_s,dram_w,mac_w,link_w,asic_w,total_w"
    values = np.array([[float(value) for value in row.split(",")] for row in rows])
    assert np.allclose(values[:, 2:6].sum(1), values[:, 6], rtol=1e-4)
    energy_j = math.fsum((values[:, 1] - values[:, 0]) * values[:, 6])
    assert energy_j == pytest.approx(simulate("pim_gpt", "gpt2_small", 2, settings=SMALL).energy_j["nominal"], rel=1e-4)


@pytest.fixture
def pimsim_run(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    import subprocess
    import sys

    def run(*options: str) -> int:
        settings = [part for setting in SMALL for part in ("--set", setting)]
        command = [sys.executable, "-m", "pimsim.cli", "run", "pim_gpt", "gpt2_small", "--tokens", "2", *settings, *options]
        return subprocess.run(command, check=False, capture_output=True).returncode

    return run


def test_windows_that_make_no_sense_are_refused(pimsim_run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RequestError, match="windows of 0 ps"):
        power_trace("pim_gpt", "gpt2_small", 1, settings=SMALL, window_ps=0)
    assert pimsim_run("--power-trace", str(tmp_path / "p.csv"), "--power-window", "often") == 2
    assert not (tmp_path / "p.csv").exists()
