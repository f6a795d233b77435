"""Predicted against measured: targets met leaving each row out, rows left out say why, tables of users are read strictly."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from pimsim.baselines.calibration import predict_s
from pimsim.baselines.measurements import read_measurements, shipped_table
from pimsim.baselines.validate import (
    error_band,
    leave_one_out,
    leave_source_out,
    shipped_calibration,
    stack_errors,
    validate_table,
)
from pimsim.errors import ConfigError

REFERENCE = Path(__file__).parent.parent / "reference" / "measured_decode.csv"
KEY = ("device", "model", "dtype", "framework", "raw_value")
HEADER = "device,model,dtype,framework,batch,prompt_len,gen_len,raw_value,ms_per_token\n"


def _table(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("stack", ["eager", "compiled", "fused", "kernels"])
def test_each_stack_meets_its_target_leaving_each_row_out(stack: str) -> None:
    errors = stack_errors(leave_one_out())[stack]
    assert errors["rows"] >= 5
    assert errors["median_abs_error"] <= 0.15
    assert errors["worst_abs_error"] <= 0.40


@pytest.mark.parametrize("stack", ["eager", "compiled", "fused", "kernels"])
def test_each_stack_meets_its_target_leaving_each_rows_whole_source_out(stack: str) -> None:
    errors = stack_errors(leave_source_out())[stack]
    assert errors["median_abs_error"] <= 0.15
    assert errors["worst_abs_error"] <= 0.40


def test_a_source_with_several_rows_is_left_out_whole() -> None:
    single, whole = ({id(r.measurement): r.predicted_ms for r in rows} for rows in (leave_one_out(), leave_source_out()))
    sources = Counter(r.measurement.texts["source"] for r in leave_one_out() if r.predicted_ms is not None)
    for row in leave_one_out():
        if row.predicted_ms is not None:
            alone = sources[row.measurement.texts["source"]] == 1
            assert (single[id(row.measurement)] == whole[id(row.measurement)]) == alone


def test_leaving_a_row_out_is_harder_than_keeping_it() -> None:
    rows = [row for row in leave_one_out() if row.error is not None]
    kept = [predict_s(r.measurement.features, shipped_calibration()) * 1e3 / r.measurement.measured_ms - 1 for r in rows]
    harder = sum(abs(row.error) > abs(error) for row, error in zip(rows, kept, strict=True) if row.error is not None)
    assert harder == len(rows)


def test_every_reference_row_is_shipped_unchanged() -> None:
    with REFERENCE.open(newline="") as file:
        reference = list(csv.DictReader(file))
    with shipped_table().open(newline="") as file:
        rows = [{key: row[key] for key in reference[0]} for row in csv.DictReader(file)]
    assert [row for row in reference if row not in rows] == []
    assert len(rows) > len(reference)


def test_every_row_is_predicted_or_says_why_not() -> None:
    for row in leave_one_out():
        assert (row.predicted_ms is None) == bool(row.measurement.exception)
    left_out = {r.measurement.texts["device"]: r.measurement.exception for r in leave_one_out() if r.measurement.exception}
    assert left_out["unknown CUDA GPU"] == "the GPU is not named"
    assert left_out["A10G"].startswith("a prompt pass")


def test_the_unannotated_reference_table_leaves_out_the_same_rows() -> None:
    annotated = {tuple(m.texts[key] for key in KEY): bool(m.exception) for m in read_measurements(shipped_table())}
    plain = {tuple(m.texts[key] for key in KEY): bool(m.exception) for m in read_measurements(REFERENCE)}
    assert plain == {key: annotated[key] for key in plain}


def test_a_prediction_does_not_depend_on_the_measured_value(tmp_path: Path) -> None:
    table = _table(
        tmp_path / "m.csv",
        "H200 SXM,Llama-2-13B,fp16,vLLM,1,100,100,,9.0",
        "H200 SXM,Llama-2-13B,fp16,vLLM,1,100,100,,90.0",
    )
    first, second = validate_table(table)
    assert first.predicted_ms == second.predicted_ms
    assert first.error is not None and second.error is not None and first.error > second.error


def test_the_error_band_holds_every_shipped_row() -> None:
    for stack in ("eager", "compiled", "fused", "kernels"):
        band = error_band(stack)
        assert band is not None and band[0] <= 1 <= band[1]
        for row in leave_source_out():
            if row.predicted_ms is not None and row.measurement.stack == stack:
                ratio = row.measurement.measured_ms / row.predicted_ms
                assert band[0] * (1 - 1e-9) <= ratio <= band[1] * (1 + 1e-9)
    assert error_band("nothing") is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Gaudi 9,GPT-2,fp16,vLLM,1,1,10,,5", "device 'Gaudi 9' is not a known baseline"),
        ("H100 SXM,GPT-5,fp16,vLLM,1,1,10,,5", "model 'GPT-5' is not a shipped workload"),
        ("H100 SXM,GPT-2,fp16,Excel,1,1,10,,5", "framework 'Excel' belongs to no known stack"),
        ("H100 SXM,GPT-2,fp16,vLLM,8,1,10,,5", "batch 8"),
        ("H100 SXM,GPT-2,fp16,vLLM,1,1,10,,", "no time per token"),
        ("H100 SXM,GPT-2,fp16,vLLM,1,1,10,,-3", "ms_per_token '-3' is not a positive number"),
        ("H100 SXM,GPT-2,fp16,vLLM,1,1,10,,nan", "ms_per_token 'nan' is not a positive number"),
        ("H100 SXM,GPT-2,fp16,vLLM,1,many,10,,5", "prompt_len 'many' is not a number of tokens"),
        ("H100 SXM,GPT-2,fp16,vLLM,1,1,-10,,5", "gen_len '-10' is not a number of tokens"),
        ("H100 SXM,GPT-2,fp17,vLLM,1,1,10,,5", "dtype 'fp17' is not one of"),
        ("H100 SXM,GPT-2,fp16,nanoGPT no KV cache,1,1,10,,5", "no K/V cache"),
        ("H100 SXM,GPT-2,fp16,HF generate 4 beams,1,1,10,,5", "beam search"),
        ("H100 SXM,Llama-2-7B,int8,HF transformers,1,1,10,,5", "eager stack with quantised weights"),
        ("H100 SXM (2 GPU),Llama-2-7B,fp16,HF transformers,1,1,10,,5", "several GPUs"),
        ("Xeon Gold 6430 1 thread,GPT-2,fp32,HF CPU,1,1,10,,5", "not a known baseline"),
        ("Xeon Gold 6430,GPT-2,fp32,\"HF CPU, 1 thread\",1,1,10,,5", "1 threads on 32 cores"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read_say_why(tmp_path: Path, row: str, reason: str) -> None:
    (found,) = validate_table(_table(tmp_path / "m.csv", row))
    assert found.predicted_ms is None
    assert reason in found.measurement.exception


def test_lengths_move_the_prediction(tmp_path: Path) -> None:
    table = _table(
        tmp_path / "m.csv",
        "H100 SXM,Llama-2-7B,fp16,vLLM,1,0,1,,5",
        "H100 SXM,Llama-2-7B,fp16,vLLM,1,,,,5",
        "H100 SXM,Llama-2-7B,fp16,vLLM,1,3000,1000,,5",
    )
    short, unstated, long = (row.predicted_ms for row in validate_table(table))
    assert short is not None and unstated is not None and long is not None
    assert short < unstated < long


def test_batch_may_be_written_as_a_table_program_does(tmp_path: Path) -> None:
    whole, decimal, two = validate_table(
        _table(tmp_path / "m.csv", *(f"T4,GPT-2,fp16,vLLM,{b},1,9,,5" for b in ("1", "1.0", "2.0")))
    )
    assert whole.predicted_ms == decimal.predicted_ms is not None
    assert two.predicted_ms is None and "batch 2.0" in two.measurement.exception


def test_a_device_may_be_a_file(tmp_path: Path) -> None:
    device = tmp_path / "half.yaml"
    device.write_text("base: h100\nname: half\nmemory: {bandwidth_gb_per_s: 1675}\n")
    table = _table(
        tmp_path / "m.csv",
        f"{device},Llama-2-70B,fp16,sum of kernels,1,1,1,,5",
        "H100 SXM,Llama-2-70B,fp16,sum of kernels,1,1,1,,5",
    )
    slow, fast = (row.predicted_ms for row in validate_table(table))
    assert slow is not None and fast is not None and 1.9 < slow / fast < 2.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("device,model,framework\n", "column 'ms_per_token' is missing"),
        (HEADER.replace("gen_len", "gen_ln") + "a,b,c,d,e,f,g,h,i\n", r"unknown column 'gen_ln' \(did you mean 'gen_len'\?\)"),
        (HEADER, "no measurements below the header"),
        ("", "column 'device' is missing"),
        ("device,model,framework,ms_per_token,ms_per_token\nT4,GPT-2,vLLM,1,2\n", "column 'ms_per_token' is there twice"),
    ],
)
def test_tables_of_other_shape_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_measurements(path)


def test_columns_of_a_users_own_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("device,model,framework,ms_per_token,driver,excluded\nT4,GPT-2,HF,8,550,\nT4,GPT-2,HF,8,550,throttled\n")
    first, second = validate_table(path)
    assert first.predicted_ms is not None
    assert second.predicted_ms is None and second.measurement.exception == "throttled"


def test_unreadable_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_measurements(tmp_path / "missing.csv")
    binary = tmp_path / "m.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01" * 10)
    with pytest.raises(ConfigError, match="not a CSV table"):
        read_measurements(binary)


def test_the_documented_errors_are_those_of_the_shipped_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text()
    ones, sources = stack_errors(leave_one_out()), stack_errors(leave_source_out())
    for stack, errors in ones.items():
        numbers = [e[key] for e in (errors, sources[stack]) for key in ("median_abs_error", "worst_abs_error")]
        row = f"| {stack} | {errors['rows']} | " + " | ".join(f"{number:.1%}".replace("%", " %") for number in numbers) + " |"
        assert row in text
