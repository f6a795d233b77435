"""``generate``: numbers and time from the same programs, and the verb around it."""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pimsim import cli
from pimsim.functional import oracle
from pimsim.functional.compare import difference, summary
from pimsim.functional.generate import generate
from pimsim.functional.weights import RandomWeights
from pimsim.simulation import simulate
from pimsim.workload.model import DecoderModel
from tests.functional.checkpoints import gpt2_tensors, save
from tests.functional_cases import device, workload


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("dram.channels=3", "mapping=row_per_output"),
        ("pim.global_buffer_bytes=128", "pim.accumulators_per_bank=4", "dram.refresh.mode=per_bank"),
        ("pim.all_bank_activation.grouped_by=4", "pim.all_bank_activation.obey_tFAW=true", "controller.issue=overlap"),
    ],
)
def test_every_kind_of_command_is_executed_as_often_as_it_is_timed(settings: tuple[str, ...]) -> None:
    found = generate(device(*settings), workload("tiny"), RandomWeights(0), [1, 2, 3], 40, references=False)
    np.testing.assert_array_equal(found.counts, found.timed_counts)
    assert found.counts.sum() > 10_000
    kinds = {name for name, count in zip(found.command_names, found.counts.sum(0), strict=True) if count}
    assert {"ACT", "ACT_AB", "MAC_AB", "WR_GB", "RD_MAC", "RD", "WR", "PREab", "PREpb"} <= kinds
    assert found.result.refresh_command_counts


def test_prompt_and_generated_tokens_make_one_request() -> None:
    whole = generate(device(), workload("tiny"), RandomWeights(0), [9, 8, 7], 6, references=False)
    again = generate(device(), workload("tiny"), RandomWeights(0), [9, 8, 7, *whole.token_ids[:2]], 4, references=False)
    assert again.token_ids == whole.token_ids[2:]
    np.testing.assert_array_equal(again.logits, whole.logits[2:])


def test_time_is_that_of_a_simulation_but_for_the_rows_of_the_embeddings() -> None:
    found = generate(device(), workload("tiny"), RandomWeights(0), [0], 20, references=False).result
    timed = simulate(device(), workload("tiny"), 20, 1)
    assert found.latency_s == pytest.approx(timed.latency_s, rel=0.01)
    assert found.command_counts["MAC_AB"] == timed.command_counts["MAC_AB"]


def test_asic_numerics_differ_a_little_and_less_with_more_terms() -> None:
    exact = generate(device(), workload("tiny"), RandomWeights(0), [1], 32, references=False)
    asic = generate(device(), workload("tiny"), RandomWeights(0), [1], 32, "asic", references=False)
    assert asic.token_ids == exact.token_ids
    assert 0 < np.abs(asic.logits - exact.logits).max() < 0.05
    for setting in ("asic.gelu_taylor_terms=1", "asic.reciprocal_newton_steps=0", "asic.rsqrt_newton_steps=0"):
        rough = generate(device(setting), workload("tiny"), RandomWeights(0), [1], 1, "asic", references=False)
        assert np.abs(rough.logits[0] - exact.logits[0]).max() > 10 * np.abs(asic.logits[0] - exact.logits[0]).max() + 0.01


def test_errors_of_functions_are_over_the_inputs_of_the_run() -> None:
    found = generate(device(), workload("tiny"), RandomWeights(0), [1, 2], 4).functions
    assert set(found) == {"exp", "gelu", "reciprocal", "rsqrt"}
    assert found["exp"]["input_max"] == 0
    assert found["exp"]["inputs"] == sum(2 * 4 * context for context in range(1, 6))
    assert found["reciprocal"]["input_min"] >= 1
    assert found["rsqrt"]["inputs"] == 4 * 5 + 4
    assert all(0 < figures["max_rel_error"] < 1e-5 for figures in found.values())


def test_differences_of_known_logits() -> None:
    step = difference(np.log(np.array([0.5, 0.5], np.float32)), np.log(np.array([0.75, 0.25], np.float32)))
    assert step.kl_divergence == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5), rel=1e-5)
    assert step.logits_max_error == pytest.approx(np.log(2), rel=1e-6)
    other = difference(np.array([0, 1], np.float32), np.array([1, 0], np.float32))
    found = summary([step, other])
    assert (step.same_token, other.same_token) == (True, False)
    assert (found["token_agreement"], found["first_other_token"]) == (0.5, 1)


def test_the_oracle_shares_no_code_with_the_simulator() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imports |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imports <= {"__future__", "math", "collections.abc", "ml_dtypes", "numpy", "numpy.typing"}


def test_random_weights_depend_on_seed_and_name_only() -> None:
    first, second = DecoderModel(workload("tiny").model).tensors[2:6:2]
    weights = RandomWeights(4)
    np.testing.assert_array_equal(weights.tensor(first), RandomWeights(4).tensor(first))
    assert not np.array_equal(weights.tensor(first), RandomWeights(5).tensor(first))
    assert weights.tensor(second).std() == pytest.approx(second.inputs**-0.5, rel=0.05)


def verb(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["pimsim", "generate", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def test_verb_writes_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "out.json"
    path = save(tmp_path / "gpt2.safetensors", gpt2_tensors())
    options = ["--weights", str(path), "--prompt-ids", "1, 2,3", "--tokens", "4", "--numerics", "asic", "--json", str(report)]
    assert verb(monkeypatch, "tiny", "--hardware", "pim_gpt", *options) == 0
    data, shown = json.loads(report.read_text()), capsys.readouterr()
    assert data["prompt_ids"] == [1, 2, 3]
    assert len(data["token_ids"]) == 4
    assert f"token_ids {','.join(map(str, data['token_ids']))}" in shown.out
    assert f"dram_cycles {data['dram_cycles']}" in shown.out
    assert data["command_counts"]["equal"] is True
    assert data["references"]["bf16"]["token_agreement"] == 1
    assert data["weights"]["file"] == "gpt2.safetensors"
    assert data["result"]["energy_j"] == data["energy_j"]
    assert shown.err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny", "--prompt-ids", "1,256"], "prompt id 256 is not in the vocabulary: 0 .. 255"),
        (["tiny", "--prompt-ids", "1,-2"], "'-2' is not a token id"),
        (["tiny", "--prompt-ids", ""], "'' is not a token id"),
        (["tiny", "--tokens", "0"], "0 tokens to generate"),
        (["tiny", "--tokens", "129"], "reserved for 128"),
        (["tiny", "--numerics", "exakt"], "did you mean 'exact'?"),
        (["tiny", "--hardware", "gddr6_14000_1250mV"], "is a plain DRAM"),
        (["tinny"], "did you mean 'tiny'?"),
        (["tiny", "--weights", "/nowhere/x.safetensors"], "/nowhere/x.safetensors: cannot be read"),
        (["tiny", "--json", "/nowhere/x.json"], "folder /nowhere does not exist"),
    ],
)
def test_verb_refuses_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert verb(monkeypatch, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert message in shown.err
    assert shown.out == ""


def test_failed_run_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = gpt2_tensors()
    tensors["transformer.h.1.mlp.c_proj.weight"][3, 4] = np.nan
    path = save(tmp_path / "bad.safetensors", tensors)
    assert verb(monkeypatch, "tiny", "--weights", str(path), "--json", str(tmp_path / "out.json")) == 2
    assert "tensor 'transformer.h.1.mlp.c_proj.weight': 1 of 16384 numbers are NaN" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["bad.safetensors"]


def test_one_token_of_gpt2_small_within_4_gb() -> None:
    command = [sys.executable, "-m", "pimsim.cli", "generate", "gpt2_small", "--tokens", "1", "--no-references"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert "commands equal to the timed run's" in found.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 4_000_000
