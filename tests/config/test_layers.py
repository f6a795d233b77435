"""Base chains, overrides, umbrella timing, and where values came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.config.load import content_hash, load_hardware, load_workload, split_overrides
from pimsim.config.shipped import shipped_names
from pimsim.errors import ConfigError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", shipped_names("hw_configs"))
def test_shipped_hardware_loads(name: str) -> None:
    device = load_hardware(name)
    assert device.name == name
    assert all(rule.gap_ck >= 0 for rule in device.table.rules)


@pytest.mark.parametrize("name", shipped_names("workloads"))
def test_shipped_workloads_load(name: str) -> None:
    assert load_workload(name).name == name


def test_chain_of_bases(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "base: pim_gpt\nname: a\ndram: {rows: 32768}\n")
    b = write(tmp_path, "b.yaml", "base: a.yaml\nname: b\ndram: {channels: 4}\n")
    device = load_hardware(b)
    assert (device.name, device.organization.rows, device.organization.channels) == ("b", 32768, 4)
    assert device.sources["dram.rows"] == "set in a.yaml"
    assert device.sources["dram.channels"] == "set in b.yaml"
    assert device.sources["dram.bank_groups"].startswith("PIM-GPT")


def test_base_that_leads_back(tmp_path: Path) -> None:
    a = write(tmp_path, "a.yaml", "base: b.yaml\n")
    write(tmp_path, "b.yaml", "base: a.yaml\n")
    with pytest.raises(ConfigError, match="'base:' leads back to itself"):
        load_hardware(a)
    own = write(tmp_path, "own.yaml", "base: ./own.yaml\n")
    with pytest.raises(ConfigError, match="'base:' leads back to itself"):
        load_hardware(own)


def test_endless_chain_and_wrong_bases(tmp_path: Path) -> None:
    for k in range(20):
        write(tmp_path, f"c{k}.yaml", f"base: c{k + 1}.yaml\n")
    for text, message in (
        (None, "more than 16 levels"),
        ("base: [pim_gpt]\n", "base: must be a shipped name or a path"),
        ("base: pim_gtp\n", r"unknown hardware 'pim_gtp' \(did you mean 'pim_gpt'\?\)"),
        ("base: none.yaml\n", "no such hardware file"),
    ):
        path = tmp_path / "c0.yaml" if text is None else write(tmp_path, "wrong.yaml", text)
        with pytest.raises(ConfigError, match=message):
            load_hardware(path)


def test_sources_of_single_values(tmp_path: Path) -> None:
    text = "base: pim_gpt\ndram:\n  source: ours\n  rows: {value: 32768, source: measured}\n  channels: 2\n"
    device = load_hardware(write(tmp_path, "a.yaml", text))
    assert device.organization.rows == 32768
    assert (device.sources["dram.rows"], device.sources["dram.channels"]) == ("measured", "ours")


def test_overrides() -> None:
    device = load_hardware("pim_gpt", ["dram.channels=2", "asic.clock_ghz=0.5", "energy.io_pj_per_bit=3"])
    assert device.organization.channels == 2
    assert device.asic_period_ps == 2000
    assert device.energy.io_pj_per_bit.as_tuple() == (3.0, 3.0, 3.0)
    assert device.sources["dram.channels"] == "set on the command line: dram.channels=2"


OVERRIDES = {
    "asic.clock_gzh=1": "asic: unknown key 'clock_gzh' (did you mean 'clock_ghz'?)",
    "asic.clock_ghz=fast": "asic.clock_ghz: 'fast': must be a valid number (unit: GHz)",
    "asic.clock_ghz=0": "asic.clock_ghz: 0: must be greater than",
    "asic.clock_ghz=yes": "--set asic.clock_ghz: 'yes' is a boolean",
    "asic=5": "asic: 5: must be a mapping of keys to values",
    "asic.clock_ghz": "must be path=value",
    "=5": "must be path=value",
    "asic..clock_ghz=5": "must be path=value",
    "dram.channels=2.5": "dram.channels: 2.5: must be a valid integer",
    "dram.channels=true": "dram.channels: True: must be a valid integer",
    "dram.channels=0": "dram.channels: 0: must be greater than or equal to 1",
    "dram.channels={}": "dram.channels: {}: must be a valid integer",
    "dram.refresh.mode=allbank": "dram.refresh.mode: 'allbank': must be 'all_bank', 'per_bank' or 'none'",
    "dram.refresh.max_postponed=9": "must be less than or equal to 8 (unit: refreshes)",
}


@pytest.mark.parametrize("setting, message", OVERRIDES.items(), ids=OVERRIDES)
def test_wrong_overrides(setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_hardware("pim_gpt", [setting])
    assert message in str(raised.value)


def test_broader_name_in_a_later_layer_replaces_the_narrower(tmp_path: Path) -> None:
    text = "base: gddr6_14000_1250mV\ndram: {timing: {tRCD_ns: 10, nCCD: 3}}\n"
    timing = load_hardware(write(tmp_path, "a.yaml", text)).timing
    assert (timing["nRCDRD"], timing["nRCDWR"], timing["nCCDS"], timing["nCCDL"]) == (18, 18, 3, 3)
    assert timing.origin["nRCDWR"] == "ceil(10 ns / 0.57 ns)"
    assert timing.origin["nCCDL"] == "given as nCCD"


def test_narrower_name_in_a_later_layer_keeps_the_rest(tmp_path: Path) -> None:
    timing = load_hardware(write(tmp_path, "a.yaml", "base: pim_gpt\ndram: {timing: {nRCDWR: 5}}\n")).timing
    assert (timing["nRCDWR"], timing["nRCDRD"], timing["nRCDMAC"]) == (5, 12, 12)


def test_other_spelling_in_a_later_layer_replaces_the_earlier() -> None:
    timing = load_hardware("gddr6_14000_1250mV", ["dram.timing.tRP_ns=11.4", "dram.timing.nRAS=70"]).timing
    assert (timing["nRP"], timing["nRAS"]) == (20, 70)


def test_hash_follows_values_not_files(tmp_path: Path) -> None:
    same = write(tmp_path, "a.yaml", "base: pim_gpt\n")
    other = load_hardware(same, ["dram.timing.tRP_ns=13"])
    assert content_hash(load_hardware(same).spec) == content_hash(load_hardware("pim_gpt").spec)
    assert content_hash(other.spec) != content_hash(load_hardware("pim_gpt").spec)


def test_settings_are_sorted_by_what_they_set() -> None:
    settings = ["dram.rows=4", "workload.model.layers=2", "asic.clock_ghz=1"]
    assert split_overrides(settings) == (["dram.rows=4", "asic.clock_ghz=1"], ["model.layers=2"])
    assert load_workload("gpt2_small", ["model.layers=2"]).model.layers == 2
