"""A run's books balance: cycles, time, energy, commands and MACs, against counts made here from the dimensions alone."""

import math

import pytest

import pimsim
from pimsim.dram.commands import CAUSES

SMALL = ["workload.model.layers=2", "workload.model.vocabulary=2000"]
CASES = [
    ("pim_gpt", "gpt2_small", 5, 3, SMALL),
    ("pim_gpt", "gpt2_xl", 4, 1, SMALL),
    ("pim_gpt", "gpt2_small", 40, 1, [*SMALL, "controller.issue=overlap"]),
    ("pim_gpt", "gpt2_small", 6, 1, [*SMALL, "dram.channels=3", "mapping=row_per_output"]),
    ("pim_gpt", "gpt2_small", 6, 1, [*SMALL, "dram.refresh.mode=per_bank", "dram.refresh.max_postponed=0"]),
    ("pim_gpt", "gpt2_small", 6, 1, [*SMALL, "pim.all_bank_activation.grouped_by=4", "pim.all_bank_activation.obey_tFAW=true"]),
    ("gddr6_aim", "gpt2_small", 6, 1, [*SMALL, "dram.refresh.mode=all_bank"]),
    (
        "pim_gpt",
        "gpt2_small",
        3,
        2,
        [*SMALL, "pim.global_buffer_bytes=512", "workload.model.d_model=960", "workload.model.heads=15"],
    ),
]


def decoder_macs(layers, d_model, d_ff, vocabulary, prompt, generated):
    """Multiply-accumulates of GPT decoding, step by step: 4 d^2 + 2 d d_ff a layer, 2 d a token of context, d V a head."""
    total = 0
    for step in range(prompt + generated - 1):
        context = step + 1
        total += layers * (4 * d_model * d_model + 2 * d_model * d_ff + 2 * d_model * context)
        if step >= prompt - 1:
            total += d_model * vocabulary
    return total


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join([case[0], case[1], *case[4][2:]]))
def run(request):
    hardware, workload, tokens, prompt, settings = request.param
    return request.param, pimsim.simulate(hardware, workload, tokens, prompt, settings=settings)


def test_the_causes_of_every_channel_sum_to_the_cycles(run):
    _, result = run
    for causes in result.cycle_breakdown.values():
        assert sorted(causes) == sorted(CAUSES)
        assert all(cycles >= 0 for cycles in causes.values())
        assert sum(causes.values()) == result.dram_cycles


def test_energy_terms_sum_to_the_totals_and_scenarios_are_ordered(run):
    _, result = run
    for scenario in ("low", "nominal", "high"):
        terms = result.energy_breakdown_band_j[scenario]
        assert math.fsum(terms.values()) == result.energy_j[scenario]
        assert all(value >= 0 for value in terms.values())
    assert result.energy_breakdown_j == result.energy_breakdown_band_j["nominal"]
    assert 0 < result.energy_j["low"] < result.energy_j["nominal"] < result.energy_j["high"]
    assert result.average_power_w == pytest.approx(result.energy_j["nominal"] / result.latency_s)


def test_the_critical_path_sums_to_the_latency(run):
    _, result = run
    assert math.fsum(result.critical_path_s.values()) == pytest.approx(result.latency_s, rel=1e-12)
    assert all(seconds >= 0 for seconds in result.critical_path_s.values())


def test_model_macs_are_those_of_the_dimensions_and_padding_is_the_rest(run):
    (hardware, workload, tokens, prompt, settings), result = run
    device, spec = (
        pimsim.load_hardware(hardware),
        pimsim.load_workload(workload, [s[9:] for s in settings if s.startswith("workload.")]),
    )
    model = spec.model
    expected = decoder_macs(model.layers, model.d_model, model.d_ff, model.vocabulary, prompt, tokens)
    assert result.macs["model"] == expected
    executed = result.command_counts["MAC_AB"] * device.organization.banks * device.pim.mac_lanes
    assert result.macs["padding"] == executed - expected >= 0
    assert result.internal_bytes == 2 * executed


def test_latency_is_above_the_streaming_floor(run):
    _, result = run
    assert result.latency_s > result.streaming_floor_s > 0
    assert result.mac_utilisation == pytest.approx(result.streaming_floor_s / result.latency_s, rel=1e-3)


def test_commands_fit_together(run):
    _, result = run
    counts = result.command_counts
    assert counts["WR_GB"] > 0 and counts["RD_MAC"] > 0 and counts["REFab" if "REFab" in counts else "REFpb"] > 0
    assert counts["ACT"] == counts["PREpb"]
    assert 0 < result.row_hit_rate < 1
    pins = 32 * (counts["WR_GB"] + counts["RD"] + counts["WR"])
    assert result.external_bytes > pins


def test_the_result_survives_json(run, tmp_path):
    _, result = run
    path = tmp_path / "result.json"
    text = result.to_json(path)
    assert path.read_text() == text
    import json

    assert pimsim.RunResult.from_dict(json.loads(text)) == result
    assert result.row()["cycles.mac"] == sum(channel["mac"] for channel in result.cycle_breakdown.values())
