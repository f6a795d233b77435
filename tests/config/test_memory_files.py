"""Memory-only hardware files: cycles, times and data rates agree or are refused; levels of a standard; rule sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.config.load import load_hardware
from pimsim.errors import ConfigError

NAMES = ("hbm2_2000", "hbm2_2400", "hbm3_6400", "hbm3_5200", "lpddr5_6400", "lpddr5_5500", "ddr5_4800", "ddr5_6400")
RATES = {name: float(name.split("_")[1]) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_cycles_times_and_data_rate_agree(name: str, tmp_path: Path) -> None:
    """The preset again as a file that gives every time in ns, and the data rate: the same cycles."""
    device = load_hardware(name)
    t_ck_ps = device.timing.t_ck_ps
    times = [f"    t{key[1:]}_ns: {cycles * t_ck_ps / 1000:.3f}" for key, cycles in device.timing.cycles.items() if key != "nRC"]
    times += [f"    nRC: {device.timing['nRC']}", f"    tCK_ns: {t_ck_ps / 1000}"]
    shape, dram = device.organization, device.spec.dram
    counts = [f"  {key}: {getattr(dram, key)}" for key in ("pseudo_channels", "ranks", "stack_ids") if getattr(dram, key) > 1]
    text = ["name: again", "source: made here", "dram:", "  source: made here", f"  standard: {device.standard.name}"]
    text += ["  channels: 1", *counts, f"  bank_groups: {shape.bank_groups}", f"  banks_per_group: {shape.banks_per_group}"]
    text += [f"  rows: {shape.rows}", f"  row_bytes: {shape.row_bytes}", f"  column_bytes: {shape.column_bytes}"]
    text += [f"  data_rate_mt_per_s: {RATES[name]:g}", "  timing:", "    source: made here", *times]
    text += ["  refresh: {mode: all_bank, max_postponed: 8, source: made here}"]
    path = tmp_path / "again.yaml"
    path.write_text("\n".join(text))
    again = load_hardware(path)
    assert (again.timing.t_ck_ps, dict(again.timing.cycles)) == (t_ck_ps, dict(device.timing.cycles))


def test_a_data_rate_alone_sets_the_clock(tmp_path: Path) -> None:
    lines = [line for line in Path(load_hardware("ddr5_4800").where).read_text().split("\n") if "tCK_ns" not in line]
    path = tmp_path / "rate.yaml"
    path.write_text("\n".join(lines).replace("  timing:", "  data_rate_mt_per_s: 4800\n  timing:"))
    assert load_hardware(path).timing == load_hardware("ddr5_4800").timing


@pytest.mark.parametrize("name", NAMES)
def test_a_data_rate_that_is_not_the_clock_is_refused(name: str) -> None:
    assert load_hardware(name, [f"dram.data_rate_mt_per_s={RATES[name]}"]).timing.cycles == load_hardware(name).timing.cycles
    with pytest.raises(ConfigError, match=r"data_rate_mt_per_s: .* but dram.timing.tCK_ns is .* give one of them"):
        load_hardware(name, [f"dram.data_rate_mt_per_s={RATES[name] * 1.2}"])


def test_levels_that_a_standard_has_not_are_refused() -> None:
    with pytest.raises(ConfigError, match="ranks 2: HBM2 has none"):
        load_hardware("hbm2_2000", ["dram.ranks=2"])
    with pytest.raises(ConfigError, match="ranks 3 must be a power of two"):
        load_hardware("ddr5_4800", ["dram.ranks=3"])
    assert load_hardware("ddr5_4800", ["dram.ranks=2"]).organization.banks == 64
    with pytest.raises(ConfigError, match="transfers a CK of GDDR6 are not stated"):
        load_hardware("gddr6_14000_1250mV", ["dram.data_rate_mt_per_s=14000"])


def test_broad_names_are_those_of_the_standard() -> None:
    """nRFC is one refresh of HBM2 and both of GDDR6."""
    hbm, gddr = (
        load_hardware("hbm2_2000", ["dram.timing.nRFC=300"]),
        load_hardware("gddr6_14000_1250mV", ["dram.timing.nRFC=300"]),
    )
    assert (hbm.timing["nRFC"], hbm.timing["nRFCpb"]) == (300, 160)
    assert (gddr.timing["nRFCab"], gddr.timing["nRFCpb"]) == (300, 300)


@pytest.mark.parametrize("name", ["pim_gpt", "gddr6_14000_1250mV"])
def test_gddr6_has_one_rule_set(name: str) -> None:
    assert load_hardware(name, ["dram.rules=ramulator_2_1"]).table.rules == load_hardware(name).table.rules
