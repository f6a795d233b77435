"""The main job from the command line: answers, files, and every kind of bad input with its own message and exit code 2."""

import json
import subprocess
import sys

import pytest

from pimsim import simulate

RUN = ["run", "pim_gpt", "gpt2_small", "--tokens", "2"]


def pimsim(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "pimsim.cli", *arguments], capture_output=True, text=True, cwd=cwd, timeout=300)


def test_run_prints_where_the_time_went_and_writes_json(tmp_path):
    path = tmp_path / "out.json"
    done = pimsim(*RUN, "--json", str(path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("latency", "tokens/s", "energy", "row-hit rate", "mac", "row_switch", "refresh"):
        assert word in done.stdout
    result = json.loads(path.read_text())
    required = (
        "schema_version hardware workload config_hash prompt_tokens generated_tokens latency_s tokens_per_s token_latency_s "
        "energy_j energy_breakdown_j average_power_w dram_cycles cycle_breakdown critical_path_s command_counts row_hit_rate "
        "mac_utilisation external_bytes internal_bytes macs engine provenance"
    )
    assert set(required.split()) <= set(result)
    assert set(result["token_latency_s"]) == {"first", "last", "mean", "p50", "p99"}
    assert set(result["energy_j"]) == {"low", "nominal", "high"}
    assert {"name", "wall_s", "commands", "bursts", "channel_cycles_per_s"} <= set(result["engine"])
    assert result["generated_tokens"] == 2 and len(result["cycle_breakdown"]) == 8


def test_compare_names_what_a_speedup_is_against(tmp_path):
    path = tmp_path / "out.json"
    done = pimsim(
        "compare",
        "pim_gpt",
        "gpt2_small",
        "--tokens",
        "2",
        "--baseline",
        "t4",
        "--baseline",
        "xeon_gold_6154",
        "--json",
        str(path),
    )
    assert done.returncode == 0, done.stderr
    assert "ideal roofline" in done.stdout
    document = json.loads(path.read_text())
    assert [row["baseline"] for row in document["comparisons"]] == ["t4", "xeon_gold_6154"]
    for row in document["comparisons"]:
        assert row["baseline_label"] == "ideal roofline"
        assert row["speedup"] == pytest.approx(row["baseline_latency_s"] / row["latency_s"])
    assert len(document["runs"]) == 1


def test_refresh_can_be_switched_off_and_engines_named():
    with_refresh, without = pimsim(*RUN), pimsim(*RUN, "--no-refresh")
    assert "refresh" in with_refresh.stdout and without.returncode == 0
    assert "refresh" not in without.stdout


def test_output_of_run_fits_80_columns_and_says_first_what_ran_on_what():
    lines = pimsim("run", "pim_gpt", "gpt2_small", "--tokens", "3", "--prompt", "2").stdout.splitlines()
    assert lines[0] == "gpt2_small on pim_gpt: 2 prompt + 3 generated tokens"
    assert max(map(len, lines)) <= 80
    assert any("cycles" in line and "critical path" in line and "energy" in line for line in lines)
    assert sum("\u2588" in line for line in lines) >= 3


def test_time_to_first_token_and_of_the_others_make_up_the_latency():
    result = simulate("pim_gpt", "gpt2_small", tokens=4, prompt=3)
    assert result.ttft_s["mean"] + 3 * result.tpot_s["mean"] == pytest.approx(result.latency_s)
    assert result.s_per_token * result.tokens_per_s == pytest.approx(1)


def write(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return str(path)


BAD_FILES = {
    "unknown key": (
        "base: pim_gpt\nasic: {clok_ghz: 1.0}\n",
        "mine.yaml: asic: unknown key 'clok_ghz' (did you mean 'clock_ghz'?)",
    ),
    "wrong unit": ("base: pim_gpt\ndram: {timing: {tRCD_us: 12}}\n", "unknown key 'tRCD_us' (did you mean 'tRCD_ns'?)"),
    "negative timing": ("base: pim_gpt\ndram: {timing: {tRCD_ns: -12}}\n", "dram.timing.tRCD_ns: -12.0 ns is not allowed"),
    "number as text": ("base: pim_gpt\nasic: {clock_ghz: 1e-9}\n", "line 2: '1e-9' is read as text"),
    "duplicate key": (
        "base: pim_gpt\nasic:\n  adders: 1\n  adders: 2\n",
        "line 4: key 'adders' is given twice (first in line 3)",
    ),
    "mistyped": ("base: pim_gpt\nasic: {adders: many}\n", "asic.adders: 'many': must be a valid integer"),
    "not YAML": ("base: [pim_gpt\n", "not valid YAML"),
    "unknown base": ("base: pim_gpd\n", "unknown hardware 'pim_gpd' (did you mean 'pim_gpt'?)"),
    "no PIM": ("base: gddr6_14000_1250mV\n", "group 'pim' is missing"),
    "tRC": ("base: pim_gpt\ndram: {timing: {tRC_ns: 20}}\n", "tRC_ns: 20 ns is less than tRAS + tRP = 39 ns"),
    "zero channels": ("base: pim_gpt\ndram: {channels: 0}\n", "dram.channels: 0: must be greater than or equal to 1"),
}


@pytest.mark.parametrize("text, message", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_hardware_files_are_refused(tmp_path, text, message):
    done = pimsim("run", write(tmp_path, text), "gpt2_small", "--tokens", "1", "--json", str(tmp_path / "out.json"))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out.json").exists()


BAD_CALLS = {
    "missing file": (["run", "nowhere.yaml", "gpt2_small"], "nowhere.yaml: no such hardware file"),
    "unknown hardware": (["run", "pim_gtp", "gpt2_small"], "unknown hardware 'pim_gtp' (did you mean 'pim_gpt'?)"),
    "unknown workload": (["run", "pim_gpt", "gpt3_xxl"], "unknown workload 'gpt3_xxl' (did you mean 'gpt3_xl'?)"),
    "unknown baseline": (
        ["compare", "pim_gpt", "gpt2_small", "--baseline", "t5"],
        "unknown baseline device 't5' (did you mean 't4'?)",
    ),
    "zero tokens": (["run", "pim_gpt", "gpt2_small", "--tokens", "0"], "0 tokens to generate: must be at least 1"),
    "negative prompt": (["run", "pim_gpt", "gpt2_small", "--prompt", "-3"], "-3 prompt tokens: must be at least 1"),
    "context": (
        ["run", "pim_gpt", "gpt2_small", "--tokens", "5000"],
        "need a context of 5000 tokens; K and V space is reserved for 1024",
    ),
    "too large": (["run", "pim_gpt", "gpt3_xl", "--set", "workload.model.layers=60"], "GB are missing"),
    "unknown setting": (
        ["run", "pim_gpt", "gpt2_small", "--set", "dram.chanels=4"],
        "unknown key 'chanels' (did you mean 'channels'?)",
    ),
    "no assignment": (["run", "pim_gpt", "gpt2_small", "--set", "dram.channels"], "must be path=value"),
    "unknown engine": (["run", "pim_gpt", "gpt2_small", "--engine", "quick"], "unknown engine 'quick'"),
    "folder": ([*RUN, "--json", "/nowhere/out.json"], "folder /nowhere does not exist"),
    "unknown schema": (["schema", "hardwear"], "unknown schema 'hardwear' (did you mean 'hardware'?)"),
}


@pytest.mark.parametrize("arguments, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_calls_are_refused(arguments, message):
    done = pimsim(*arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


def test_check_and_schema(tmp_path):
    done = pimsim("check", "pim_gpt", "gpt3_xl", "t4")
    assert done.returncode == 0, done.stderr
    assert "nRCDMAC" in done.stdout and "ceil(12 ns / 1 ns)" in done.stdout and "parameters" in done.stdout
    schema = json.loads(pimsim("schema", "workload").stdout)
    assert "model" in schema["properties"] and "base" in schema["properties"]
