"""Batches and strategies on baselines: one row is what a step was, weights are read once, K and V once a sequence."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from pimsim import cli
from pimsim.baselines.decoded import run_rows
from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.rows import RowTimes
from pimsim.baselines.run import stack_run
from pimsim.baselines.stacks import framework_of
from pimsim.baselines.steptime import Run, features, prompt_features, step_time
from pimsim.baselines.validate import shipped_calibration
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.decoding.load import strategy_from
from pimsim.errors import CapacityError
from pimsim.workload.model import DecoderModel, make_request
from pimsim.workload.step import Row, Step, decoding_step

T4, SPEC = load_baseline("t4"), load_workload("gpt2_medium")
MODEL = DecoderModel(SPEC.model)


def times(stack="eager"):
    return RowTimes(Run(T4, MODEL, framework_of(stack), 2.0), shipped_calibration())


@pytest.mark.parametrize("stack", ["eager", "compiled", "fused"])
@pytest.mark.parametrize("context", [1, 100, 1024])
def test_one_row_is_a_step(stack, context):
    here = times(stack)
    told = step_time(features(here.run, np.array([float(context)])), shipped_calibration())
    assert here.step(decoding_step(context - 1)) == pytest.approx((told.step_s[0], told.device_s[0]), rel=1e-12)


@pytest.mark.parametrize("tokens", [1, 64])
def test_a_prompt_at_once_is_the_batched_pass(tokens):
    here = times()
    told = step_time(prompt_features(here.run, tokens), shipped_calibration())
    step = Step(tuple(Row(0, at) for at in range(tokens)), (tokens - 1,))
    assert here.step(step)[0] == pytest.approx(told.step_s[0], rel=0.02)


def test_a_batch_costs_more_than_one_and_less_than_all_alone():
    one = run_rows(T4, MODEL, make_request(SPEC, 16, 8), "fused")
    many = run_rows(T4, MODEL, make_request(SPEC, 16, 8, 8), "fused")
    assert one["latency_s"] < many["latency_s"] < 8 * one["latency_s"]
    assert many["tokens_per_s"] > 2 * one["tokens_per_s"] and many["energy_per_token_j"] < one["energy_per_token_j"]


def test_batch_one_is_what_stacks_and_rooflines_say():
    request = make_request(SPEC, 32, 16, prefill_chunk=16)
    assert run_rows(T4, MODEL, request, "eager")["latency_s"] == pytest.approx(
        stack_run(T4, MODEL, request, "eager").latency_s, rel=0.02
    )
    assert run_rows(T4, MODEL, request)["latency_s"] == pytest.approx(roofline_run(T4, MODEL, request).latency_s, rel=0.05)


def test_speculation_pays_where_a_step_reads_weights_once():
    values = {"strategy": "speculative", "draft": "gpt2_small", "drafts": 4, "acceptance": 0.8, "seed": 1}
    xl = load_workload("gpt2_xl")
    request = make_request(xl, 64, 8)
    plain = run_rows(T4, DecoderModel(xl.model), request)
    drafted = run_rows(T4, DecoderModel(xl.model), request, "ideal", strategy_from(values, "test"))
    assert drafted["latency_s"] < plain["latency_s"]
    assert set(drafted["breakdown_s"]) == {"draft", "verify"}
    assert sum(drafted["breakdown_s"].values()) == pytest.approx(drafted["latency_s"])


def test_layers_left_out_are_not_charged():
    values = {"strategy": "kangaroo", "layers": 4, "drafts": 3, "sure": 1.0, "acceptance": 0.7}
    request = make_request(SPEC, 32, 8)
    part = run_rows(T4, MODEL, request, "ideal", strategy_from(values, "test"))
    whole = run_rows(
        T4, MODEL, request, "ideal", strategy_from({"strategy": "nested", "layers": 4, "drafts": 3, "acceptance": 0.7}, "t")
    )
    assert part["breakdown_s"]["verify"] < whole["breakdown_s"]["verify"]


def test_capacity_counts_all_sequences():
    with pytest.raises(CapacityError, match="K/V of 256 sequence"):
        run_rows(T4, MODEL, make_request(SPEC, 1000, 24, 256))


def test_from_the_command_line(tmp_path):
    path = tmp_path / "d.yaml"
    path.write_text("decoding: {strategy: ngram, widths: [2, 1], acceptance: 0.4}\n")
    line = ["baselines", "run", "t4", "gpt2_medium", "--tokens", "8", "--batch", "4", "--decoding", str(path)]
    done = CliRunner().invoke(cli.app, [*line, "--json", str(tmp_path / "o.json")], catch_exceptions=False)
    assert done.exit_code == 0 and "tokens a step" in done.output
    told = json.loads((tmp_path / "o.json").read_text())
    assert told["batch"] == 4 and told["decoding"]["strategy"] == "ngram"
