"""``pimsim check``: grouped, aligned, every source once; the same as JSON; near misses of rounding are said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pimsim import cli, load_hardware
from pimsim.config.describe import timing_entries


def checked(*arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, ["check", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("name", ["pim_gpt", "gddr6_aim", "gpt3_xl", "t4"])
def test_output_fits_80_columns_and_says_each_source_once(name: str) -> None:
    text = checked(name)
    assert max(map(len, text.splitlines())) <= 80
    numbers = re.findall(r"^ +\[(\d+)\] ", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)] and numbers
    assert "/hw_configs" not in text and "/workloads" not in text, "shipped files are named without the installation's folder"


def test_json_has_every_value_with_unit_and_source_and_timing_with_its_source() -> None:
    document = json.loads(checked("pim_gpt", "--json", "-"))
    clock = document["values"]["asic.clock_ghz"]
    assert (clock["value"], clock["unit"], clock["assumed"]) == (1.0, "GHz", False) and "28 nm" in clock["source"]
    assert document["values"]["asic.adders"]["assumed"] and document["kind"] == "hardware"
    # nRCDRD and nRCDMAC are set by a broader name (tRCD_ns), whose source is theirs.
    for name in ("nRCDRD", "nRCDMAC", "nCCDMAC"):
        assert document["timing"][name]["source"].startswith("assumed: recalled"), name
    workload = json.loads(checked("gpt2_small", "--json", "-"))
    assert workload["parameters"] == 124_439_808
    assert [one["name"] for one in json.loads(checked("t4", "gpt3_xl", "--json", "-"))] == ["t4", "gpt3_xl"]


def test_a_time_just_above_a_whole_number_of_cycles_is_pointed_out() -> None:
    def notes(*settings: str) -> dict[str, str]:
        return {one.name: one.note for one in timing_entries(load_hardware("pim_gpt", settings)) if one.note}

    assert notes() == {}
    assert notes("dram.timing.tRP_ns=12.1") == {"nRP": "nRP is 12.1 cycles, rounded up to 13: 0.83% less would be 12"}
    assert notes("dram.timing.tRP_ns=12.13") == {}
    assert notes("dram.timing.tRP_ns=12.000001") != {}
    near = notes("link.gbit_per_s_per_pin=15.9")  # 256 bit in 1.0063 ns
    assert list(near) == ["nLINK", "nLINKMAC"] and "rounded up to 2" in near["nLINK"]


def test_settings_are_applied(tmp_path: Path) -> None:
    document = json.loads(checked("pim_gpt", "--set", "dram.channels=16", "--json", "-"))
    assert document["values"]["dram.channels"]["value"] == 16
    assert "command line" in document["values"]["dram.channels"]["source"]
