"""Shipped baseline devices: values as in the reference table, strict schema, useful errors."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pimsim.config.baseline import baseline_names, load_baseline
from pimsim.errors import ConfigError

TABLE = Path(__file__).parent.parent / "reference" / "baseline_devices.csv"
NAMES = {
    "NVIDIA T4": "t4",
    "NVIDIA A10G": "a10g",
    "NVIDIA V100 SXM2": "v100",
    "NVIDIA A100-40 SXM": "a100_40",
    "NVIDIA A100-80 SXM": "a100_80",
    "NVIDIA RTX 3090": "rtx_3090",
    "NVIDIA RTX 4090": "rtx_4090",
    "NVIDIA L4": "l4",
    "NVIDIA H100 SXM": "h100",
    "NVIDIA H200 SXM": "h200",
    "Jetson AGX Orin 64GB": "jetson_agx_orin",
    "Intel Xeon Gold 6154": "xeon_gold_6154",
    "Intel Xeon Platinum 8480+": "xeon_platinum_8480",
    "AMD EPYC 9654": "epyc_9654",
    "Apple M2 Ultra (76-core GPU)": "m2_ultra",
}


def _rows() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: NAMES[row["device"]])
def test_values_are_those_of_the_reference_table(row: dict[str, str]) -> None:
    spec = load_baseline(NAMES[row["device"]]).spec
    peak = spec.compute.fp16_bf16_tflops or spec.compute.fp32_tflops
    assert peak == float(row["peak_fp16_bf16_tflops_dense"])
    assert spec.memory.bandwidth_gb_per_s == float(row["mem_bw_GBps"])
    assert spec.memory.capacity_gb in [float(part) for part in row["capacity_GB"].split("/")]
    assert spec.launch_year == int(row["launch_year"])
    if row["tdp_W"]:
        assert spec.power.tdp_w == float(row["tdp_W"])


def test_a_missing_tdp_is_marked_assumed() -> None:
    assert load_baseline("m2_ultra").sources["power.tdp_w"].startswith("assumed: no official TDP")


@pytest.mark.parametrize("row", [r for r in _rows() if r["confidence"] == "recalled"], ids=lambda row: NAMES[row["device"]])
def test_recalled_values_are_marked_assumed(row: dict[str, str]) -> None:
    sources = load_baseline(NAMES[row["device"]]).sources
    for path in ("compute.fp16_bf16_tflops", "memory.bandwidth_gb_per_s", "memory.capacity_gb", "power.tdp_w", "launch_year"):
        assert sources[path].startswith("assumed:")


@pytest.mark.parametrize("name", baseline_names())
def test_every_device_loads_and_every_value_has_a_source(name: str) -> None:
    device = load_baseline(name)
    assert device.name == name
    unsourced = [path for path, source in device.sources.items() if source.startswith("set in") and "." in path]
    assert [path for path in unsourced if not path.endswith(("source", "scope"))] == []


def test_the_cpu_without_16_bit_arithmetic_uses_32_bit_weights() -> None:
    device = load_baseline("xeon_gold_6154")
    assert device.spec.dtype == "fp32"
    assert device.flop_per_s() == 3.1e12
    assert device.sources["dtype"].startswith("assumed:")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("a10_80", r"unknown baseline device 'a10_80' \(did you mean 'a100_80'\?\)"),
        ("nowhere/h100.yaml", "no such baseline device file"),
    ],
)
def test_an_unknown_device_names_the_nearest(wrong: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_baseline(wrong)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("memory.bandwith_gb_per_s=5", "unknown key 'bandwith_gb_per_s' .did you mean 'bandwidth_gb_per_s'"),
        ("memory.bandwidth_gb_per_s=0", r"greater than 0 \(unit: GB/s\)"),
        ("memory.kind=dram", "must be 'hbm', 'gddr', 'lpddr' or 'ddr'"),
        ("power.tdp_w=20", "must lie in 0 .. tdp_w 20 W"),
        ("power.active_fraction=1.5", "active_fraction: 1.5 .. 1.5 must lie in 0 .. 1"),
        ("compute.fp16_bf16_tflops=null", "dtype bf16 needs compute.fp16_bf16_tflops"),
    ],
)
def test_impossible_values_are_refused(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_baseline("h100", [assignment])


def test_a_file_may_change_a_shipped_device(tmp_path: Path) -> None:
    path = tmp_path / "v100_32.yaml"
    path.write_text("base: v100\nname: v100_32\nmemory: {capacity_gb: {value: 32, source: 'NVIDIA'}}\n")
    device = load_baseline(path)
    assert (device.name, device.spec.memory.capacity_gb, device.spec.memory.bandwidth_gb_per_s) == ("v100_32", 32.0, 900.0)
