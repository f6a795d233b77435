"""Strategies on a device: plain is what a run is, times, energies and work sum, what is not modelled is refused."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from pimsim import cli
from pimsim.decoding.closed_form import tokens_per_round
from pimsim.decoding.load import strategy_from
from pimsim.decoding_run.result import decoded_result
from pimsim.decoding_run.run import run_strategy
from pimsim.errors import CapacityError, ConfigError, PimsimError, RequestError
from pimsim.simulation import execute, simulate

STRATEGIES = [
    {"strategy": "speculative", "draft": "tiny", "drafts": 3, "acceptance": 0.7},
    {"strategy": "nested", "layers": 1, "acceptance": 0.7},
    {"strategy": "kangaroo", "layers": 1, "acceptance": 0.7},
    {"strategy": "medusa", "heads": 2, "widths": [2, 2], "acceptance": 0.5},
    {"strategy": "hydra", "heads": 2, "widths": [2, 2], "acceptance": 0.5},
    {"strategy": "hidden_transfer", "widths": [2, 1], "acceptance": 0.5},
    {"strategy": "chimera", "widths": [2, 1], "acceptance": 0.5},
    {"strategy": "recursive", "draft": "tiny", "widths": [2, 2], "acceptance": 0.5},
    {"strategy": "token_recycling", "widths": [3, 1], "acceptance": 0.5},
    {"strategy": "ngram", "widths": [2, 1], "acceptance": 0.3},
    {"strategy": "lexical_units"},
    {"strategy": "bild", "draft": "tiny", "acceptance": 0.8},
    {"strategy": "entropy", "draft": "tiny"},
    {"strategy": "easyspec", "draft": "tiny", "together": 1, "acceptance": 0.6},
    {"strategy": "beam", "beams": 2},
    {"strategy": "early_exit", "exits": [1]},
]


def run(values, tokens=10, prompt=4, workload="tiny", **more):
    return run_strategy("pim_gpt", workload, strategy_from(values, "test"), tokens, prompt, **more)


@pytest.mark.parametrize("chunk", [1, 3, None])
@pytest.mark.parametrize("batch", [1, 2])
def test_plain_is_what_a_run_is_to_the_cycle(chunk, batch):
    found = run({"strategy": "plain"}, batch=batch, prefill_chunk=chunk)
    told = execute("pim_gpt", "tiny", 10, 4, batch=batch, prefill_chunk=chunk)
    assert np.array_equal(found.phased.outcome.step_ps, told.outcome.step_ps)
    assert np.array_equal(found.phased.outcome.counts, told.outcome.counts)
    ours, theirs = decoded_result(found).to_dict(), told.result().to_dict()
    for key in theirs:
        if key not in ("engine", "provenance"):
            assert ours[key] == theirs[key], key


@pytest.mark.parametrize("values", STRATEGIES, ids=lambda values: values["strategy"])
def test_phases_sum_to_the_run_and_padding_is_padding(values):
    plain = simulate("pim_gpt", "tiny", 10, 4)
    result = decoded_result(run(values), plain)
    decoding = result.decoding
    assert sum(decoding["breakdown_s"].values()) == pytest.approx(result.latency_s, rel=1e-12)
    assert sum(decoding["breakdown_j"].values()) == pytest.approx(result.energy_j["nominal"], rel=1e-9)
    assert decoding["speedup_over_plain"] == plain.latency_s / result.latency_s
    assert sum(decoding["acceptance_histogram"].values()) == decoding["rounds"]
    assert result.macs["model"] > 0 and 0 <= result.macs["padding"] < result.macs["model"]
    for causes in result.cycle_breakdown.values():
        assert sum(causes.values()) == result.dram_cycles
    assert json.loads(json.dumps(result.to_dict()))["decoding"]["strategy"] == values["strategy"]


def test_more_acceptance_is_faster_and_the_closed_form_stands_beside():
    values = {"strategy": "speculative", "draft": "tiny", "drafts": 4}
    slow, fast = (decoded_result(run(values | {"acceptance": a}, 24)) for a in (0.1, 0.9))
    assert fast.latency_s < slow.latency_s
    strategy = strategy_from(values | {"acceptance": 0.9}, "test")
    assert fast.decoding["tokens_per_step_expected"] == tokens_per_round(strategy.chances(), strategy.tree())


def test_verification_runs_the_layers_that_drafting_left_out():
    part = run({"strategy": "kangaroo", "layers": 1, "drafts": 2, "sure": 1.0, "acceptance": 1.0})
    whole = run({"strategy": "nested", "layers": 1, "drafts": 2, "acceptance": 1.0})
    assert part.phased.phases["verify"].total_ps < whole.phased.phases["verify"].total_ps
    assert part.phased.phases["draft"].total_ps == pytest.approx(whole.phased.phases["draft"].total_ps, rel=0.05)


def test_filling_the_layers_left_out_costs_less_than_running_them():
    found = run({"strategy": "early_exit", "exits": [1], "leaves": 1.0}, 12)
    through = run({"strategy": "early_exit", "exits": [1], "leaves": 0.0}, 12)
    assert 0 < found.phased.phases["fill"].total_ps < through.phased.phases["plain"].total_ps
    assert found.phased.outcome.total_ps < through.phased.outcome.total_ps


def test_two_models_are_placed_apart():
    found = run({"strategy": "speculative", "draft": "tiny", "acceptance": 0.5})
    target, draft = (lowering.placement for lowering in found.lowerings)
    assert min(region.base_row for region in draft.regions.values()) >= target.rows_used


@pytest.mark.parametrize(
    ("values", "more", "error", "words"),
    [
        ({"strategy": "speculative", "draft": "gpt2_small", "acceptance": 0.5}, {}, RequestError, "vocabulary of 50257"),
        ({"strategy": "speculative", "draft": "nobody", "acceptance": 0.5}, {}, ConfigError, "nobody"),
        ({"strategy": "speculative", "draft": "tiny"}, {}, ConfigError, "acceptance"),
        ({"strategy": "nested", "layers": 2, "acceptance": 0.5}, {}, RequestError, "cannot draft"),
        ({"strategy": "easyspec", "draft": "tiny", "together": 2, "acceptance": 0.5}, {}, RequestError, "groups of channels"),
        ({"strategy": "speculative", "draft": "tiny", "acceptance": 0.5}, {"tokens": 121}, RequestError, "need a context of"),
        ({"strategy": "plain"}, {"workload": "gpt3_xl", "settings": ["dram.channels=1"]}, CapacityError, "GB are missing"),
    ],
)
def test_what_cannot_run_is_refused(values, more, error, words):
    with pytest.raises(error, match=words) as caught:
        run(values, **more)
    assert isinstance(caught.value, PimsimError) and "\n" not in str(caught.value)


def test_from_the_command_line(tmp_path):
    path = tmp_path / "d.yaml"
    path.write_text("decoding: {strategy: speculative, draft: tiny, drafts: 4, acceptance: 0.7, seed: 1}\n")
    line = ["run", "pim_gpt", "tiny", "--tokens", "8", "--decoding", str(path)]
    done = CliRunner().invoke(cli.app, [*line, "--json", str(tmp_path / "o.json")], catch_exceptions=False)
    assert done.exit_code == 0 and "speculative" in done.output and "over plain" in done.output
    told = json.loads((tmp_path / "o.json").read_text())
    assert set(told["decoding"]) >= {"tokens_per_step", "acceptance_histogram", "breakdown_s", "speedup_over_plain"}
    assert told["decoding"]["seed"] == 1
