"""``pimsim baselines``: what users see, and what is left on disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pimsim import cli
from pimsim.baselines import measure
from pimsim.config.baseline import baseline_names
from pimsim.config.load import load_workload
from pimsim.errors import ConfigError, RequestError


def _pimsim(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["pimsim", "baselines", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


def test_list_names_every_device(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _pimsim(monkeypatch, "list") == 0
    out = capsys.readouterr().out
    assert all(f" {name} " in out for name in baseline_names())


def test_validate_writes_rows_and_stacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    assert _pimsim(monkeypatch, "validate", "--json", str(path)) == 0
    report = json.loads(path.read_text())
    assert report["method"] == "leave-one-out"
    assert {"device", "model", "stack", "measured_ms", "predicted_ms"} <= set(report["rows"][0])
    assert set(report["stacks"]) == {"eager", "compiled", "fused", "kernels"}
    assert all(row["exception"] for row in report["rows"] if row["predicted_ms"] is None)
    out = capsys.readouterr().out
    assert "  eager: 11 rows, median |error|" in out and "whole source out" in out
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_wrong_table_is_one_message_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "m.csv"
    table.write_text("devise,model,framework,ms_per_token\nH100,GPT-2,vLLM,3\n")
    assert _pimsim(monkeypatch, "validate", "--measurements", str(table), "--json", str(tmp_path / "r.json")) == 2
    error = capsys.readouterr().err
    assert error.startswith("error:") and "unknown column 'devise' (did you mean 'device'?)" in error and error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["m.csv"]


def test_an_output_folder_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert _pimsim(monkeypatch, "validate", "--json", str(tmp_path / "nowhere" / "r.json")) == 2
    error = capsys.readouterr().err
    assert "r.json: folder" in error and "nowhere does not exist" in error and ".part" not in error
    assert _pimsim(monkeypatch, "validate", "--json", str(tmp_path)) == 2
    assert f"{tmp_path}: is a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stack", "label"), [("ideal", "ideal roofline"), ("fused", "fused (vllm)"), ("tinygrad", "compiled (tinygrad)")]
)
def test_run_prints_latency_and_energy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: str, label: str
) -> None:
    assert _pimsim(monkeypatch, "run", "l4", "gpt2_small", "--tokens", "8", "--stack", stack) == 0
    out = capsys.readouterr().out
    assert label in out and "latency_s = " in out and "energy_j (board)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--stack", "idael"), "did you mean 'ideal'"),
        (("--devices", "2"), "the ideal roofline is that of one device"),
        (("--tokens", "0"), "tokens to generate: must be at least 1"),
        (("--tokens", "5000"), "need a context of"),
    ],
)
def test_run_refuses_in_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert _pimsim(monkeypatch, "run", "l4", "gpt2_small", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error:") and message in error


def test_measuring_without_torch_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    out = tmp_path / "m.csv"
    assert _pimsim(monkeypatch, "measure", "--device", "cpu", "--workload", "gpt2_small", "--out", str(out)) == 2
    assert "pip install 'pimsim[measure]'" in capsys.readouterr().err
    assert not out.exists()


def test_measuring_refuses_what_cannot_be_measured() -> None:
    with pytest.raises(ConfigError, match=r"unknown device 'cudda' \(did you mean 'cuda'\?\)"):
        measure.measure_decode("cudda", load_workload("gpt2_small"), 8)
    with pytest.raises(RequestError, match=r"1000 \+ 100 tokens exceed model.max_context 1024"):
        measure.measure_decode("cpu", load_workload("gpt2_small"), 100, prompt=1000)


def test_a_measured_row_is_appended_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    row = {"device": "T4", "model": "GPT-2", "dtype": "fp16", "framework": measure.FRAMEWORK, "ms_per_token": "5"}
    path.write_text(measure.append_row(path, row))
    path.write_text(measure.append_row(path, row | {"device": "L4"}))
    from pimsim.baselines.validate import validate_table

    found = validate_table(path)
    assert [r.measurement.texts["device"] for r in found] == ["T4", "L4"]
    assert all(r.predicted_ms is not None and r.measurement.stack == "eager" for r in found)


def test_appending_to_another_kind_of_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="column 'device' is missing"):
        measure.append_row(path, {"device": "T4"})


@pytest.mark.parametrize("workload", ["gpt2_small", "qwen2_5_0_5b"])
def test_measuring_on_this_cpu(tmp_path: Path, workload: str) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "tiny.yaml"
    path.write_text(f"base: {workload}\nname: tiny\nmodel: {{layers: 2, vocabulary: 100, max_context: 32}}\n")
    row = measure.measure_decode("cpu", load_workload(path), 4, prompt=3)
    assert float(row["ms_per_token"]) > 0
    assert (row["dtype"], row["prompt_len"], row["gen_len"]) == ("fp32", "3", "4")
