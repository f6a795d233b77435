"""The AttAcc stack: both engines agree, its peak is the paper's, what its standard or format cannot do is refused by name."""

from __future__ import annotations

import re

import pytest

import pimsim
from pimsim.config.load import load_hardware
from pimsim.errors import ConfigError, PimsimError

SMALL = [f"workload.model.{name}" for name in ("layers=1", "vocabulary=512")]


def test_engines_agree_on_hbm3():
    settings = [*SMALL, "dram.channels=4", "workload.model.d_model=64", "workload.model.heads=4", "workload.model.d_ff=128"]
    settings += ["dram.timing.nREFI=1500"]
    fast = pimsim.simulate("attacc", "gpt2_small", 3, settings=settings)
    reference = pimsim.simulate("attacc", "gpt2_small", 3, settings=settings, engine="reference")
    assert fast.cycle_breakdown == reference.cycle_breakdown and fast.command_counts == reference.command_counts
    assert fast.command_counts["REFab"] > 0 and fast.latency_s == reference.latency_s


def test_peak_of_a_stack():
    """64 pseudo channels x 16 banks x 16 lanes every 6 CK: 3.55 TMAC/s; without the power limit half as much again."""
    device = load_hardware("attacc")
    macs = device.organization.channels * device.organization.banks * device.pim.mac_lanes
    rate = macs / (device.mac_interval_ck * device.timing.t_ck_ps)
    assert device.mac_interval_ck == 6 and rate == pytest.approx(3.55, rel=0.002)
    unlimited = load_hardware("attacc", ["dram.timing.nCCDMAC=4"])
    assert unlimited.mac_interval_ck == 4
    assert device.organization.channels * device.organization.banks * 16384 * 1024 == 16 << 30


def test_the_activation_takes_the_row_bus_and_macs_the_column_bus():
    standard = load_hardware("attacc").standard
    assert standard.command("ACT_AB").command_bus == standard.command("ACT").command_bus == "row"
    assert standard.command("ACT_AB").held_ck == standard.command("ACT").held_ck
    assert {standard.command(name).command_bus for name in ("MAC_AB", "WR_GB", "RD_MAC", "RD")} == {"column"}


def test_units_that_serve_four_banks_are_slower():
    times = [
        pimsim.simulate("attacc", "gpt2_small", 1, settings=[*SMALL, f"dram.timing.nCCDMAC={gap}"]).latency_s
        for gap in (4, 6, 24)
    ]
    assert times == sorted(times) and times[0] < times[2]


def test_what_is_missing_is_refused_by_name():
    with pytest.raises(ConfigError, match=re.escape("dram.standard LPDDR5: MAC units need the commands ACT")):
        load_hardware("attacc", ["dram.standard=LPDDR5"])
    from pimsim.functional.machine import PimMachine

    with pytest.raises(PimsimError, match="computed in BF16 only"):
        PimMachine(load_hardware("attacc", ["dram.channels=1"]), rows=1)
