"""What no description may hold: names that are paths, empty sources, impossible fractions and times, endless files and texts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pimsim.config.baseline import load_baseline
from pimsim.config.expression import read_expression
from pimsim.config.load import load_hardware, load_workload
from pimsim.config.sweep import load_sweep
from pimsim.errors import ConfigError

LOADERS: dict[str, Callable[[Path], object]] = {
    "pim_gpt": load_hardware, "gpt2_small": load_workload, "t4": load_baseline, "channels": load_sweep,
}  # fmt: skip
PATIENCE_S = 5.0


@pytest.mark.parametrize("base", LOADERS)
@pytest.mark.parametrize(
    "name",
    ["../../../X", "a/b", "a\0b", "..", ".hidden", "-x", "a b", "\x1b[31m", "x" * 101, "", "n\n", "é", "=1+1", "<b>", "CON:"],
)
def test_names_are_no_paths_and_no_markup(base: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"base": base, "name": name}))
    with pytest.raises(ConfigError) as raised:
        LOADERS[base](path)
    assert all(c.isprintable() or c == "\n" for c in str(raised.value))


@pytest.mark.parametrize("base", LOADERS)
@pytest.mark.parametrize("name", ["my-pim.v2_x", "A", "_1", "x" * 100, "7B"])
def test_names_that_are_words(base: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"base": base, "name": name}))
    assert LOADERS[base](path)


@pytest.mark.parametrize(
    "text",
    [
        "dram: {channels: {value: 8, source: ''}}",
        "dram: {channels: {value: 8, source: '  .  '}}",
        "dram: {channels: {value: 8, source: 3}}",
        "dram: {channels: {value: 8, source: null}}",
        "dram: {timing: {tRCD_ns: {value: 8, source: ab}}}",
        "dram: {timing: {source: ''}}",
        "dram: {source: ''}",
        "energy: {mac_pj: {nominal: 1, low: 1, high: 1, source: ''}}",
        "source: '   '",
    ],
)
def test_a_source_says_something(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"base: pim_gpt\n{text}\n")
    with pytest.raises(ConfigError, match=r"x.yaml: .*at least 3 characters"):
        load_hardware(path)


@pytest.mark.parametrize(
    "setting, message",
    {
        "energy.asic_static_fraction=1.5": "asic_static_fraction: 1.5 .. 1.5 must lie in 0 .. 1",
        "energy.internal_read_fraction=-0.1": "is negative",
        "energy.mac_pj=1.0e+300": "less than or equal to",
        "dram.currents.idd4r_ma=1": "idd4r_ma 1 mA .low. is below idd3n_ma 142 mA",
        "dram.timing.nMACRD=200000": "nMACRD 200,000 CK .last MAC to accumulator read",
        "dram.timing.tCCD_ns=7000": "nCCD[SLMAC]+ 7,000 CK .*at most 853 CK, a part in 8 of nREFI 6,825 CK",
        "dram.timing.nRAS=1000000000": "nRAS 1,000,000,000 CK",
        "dram.timing.tREFI_ns=1000000000": "at most 64,000,000 ns",
        "dram.timing.tCK_ns=1000000": "tCK_ns: 1e.06 ns: must be 0.01 to 100 ns",
        "link.gbit_per_s_per_pin=0.00001": "time of a transfer over the link",
        "asic.clock_ghz=0.0000001": "greater than or equal to",
    }.items(),
)
def test_quantities_have_the_bounds_of_their_meaning(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_hardware("pim_gpt", [setting])


HOSTILE = {
    "many unknown keys": "".join(f"unknown_key_{i}: 1\n" for i in range(24_000)),
    "a long list": "dram: [" + "1," * 400_000 + "]",
    "deep lists": "dram: " + "[" * 100_000,
    "deep mappings": "dram: " + "{a: " * 2000,
    "a long key": "x" * 900_000 + ": 1\n",
    "a long value": "name: " + "x" * 900_000 + "\n",
    "many documents": "---\n" * 200_000,
    "a bomb of aliases": "a: &a [1]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "many errors": "asic: {" + ", ".join(f"k{i}: x" for i in range(20_000)) + "}",
    "control characters": 'name: "\\e]0;title\\a"\n',
    "reversed text": 'description: "\\u202Eabc"\n',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_end_soon_and_in_few_words(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"base: pim_gpt\n{text}")
    began = time.process_time()
    with pytest.raises(ConfigError) as raised:
        load_hardware(path)
    assert time.process_time() - began < PATIENCE_S
    assert len(str(raised.value)) < 10_000 and str(raised.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "round(1, -1000000000)", "round(1, 1000000000)", "9 ** 64 ** 64 ** 64", "2 ** 1000000", "max('a' * 1000000)",
        "'a' * 1000000000", "[1] * 1000000000 == 1", "((((" * 100 + "1" + "))))" * 100, "-" * 900 + "1", "1e400 * 1e400", "ceil(1e300)",
        "round(1, 2 ** 63)", "min([1, 2], 3)", "log2(-1)", "x" * 2000, "a.b." * 200 + "c", "1 if" * 200,
    ],
)  # fmt: skip
def test_expressions_end_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ConfigError) as raised:
        read_expression(text, "where").value({})
    assert time.process_time() - began < PATIENCE_S and len(str(raised.value)) < 3000


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path, message in {
        "~nosuchuser/x.yaml": "cannot be a path",
        str(tmp_path / "pipe.yaml"): "not a regular file",
        str(tmp_path): "not a regular file",
        "a\0b.yaml": "cannot be a path",
        "x" * 5000 + ".yaml": "no such",
        "/dev/zero": "not a regular file",
    }.items():
        with pytest.raises(ConfigError, match=message):
            load_hardware(path)
    (tmp_path / "x.yaml").write_text("base: ~nosuchuser/y.yaml\n")
    with pytest.raises(ConfigError, match="cannot be a path"):
        load_hardware(tmp_path / "x.yaml")


@pytest.mark.parametrize("path", [".".join("a" * 1500), "dram." * 20 + "x"])
def test_deep_settings(path: str) -> None:
    with pytest.raises(ConfigError, match=r"parts; at most"):
        load_hardware("pim_gpt", [f"{path}=1"])


@pytest.mark.parametrize("value", ["\x1b[31m", "[" * 100_000, "{a: " * 1000, '"\\e[31m"', "x" * 1_000_000])
def test_hostile_settings(value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_hardware("pim_gpt", [f"name={value}"])
    assert len(str(raised.value)) < 3000 and str(raised.value).isprintable()
