"""What must hold whatever the numbers: floors, and directions of change (refresh off: its phase causes real anomalies)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pimsim

MODEL = ["workload.model.layers=2", "workload.model.vocabulary=3000"]
IDEAL = [
    *(f"dram.timing.{name}=0" for name in ("tRCD_ns", "tRP_ns", "tRAS_ns", "tRTP_ns", "tWR_ns", "tRRD_ns", "tFAW_ns")),
    *(f"dram.timing.{name}=0" for name in ("tWTRS_ns", "tWTRL_ns", "tPPD_ns", "nMACRD", "nWLGB", "nRLMAC", "tCL_ns", "tCWL_ns")),
    "asic.clock_ghz=100", "asic.adders=1000000", "asic.multipliers=1000000", "asic.instruction_overhead_cycles=0",
    "link.gbit_per_s_per_pin=1000", "pim.result_dtype=bf16", "controller.issue=overlap",
]  # fmt: skip


def latency(settings, workload="gpt2_medium", tokens=3, **kwargs):
    return pimsim.simulate("pim_gpt", workload, tokens, settings=[*MODEL, *settings], refresh=False, **kwargs).latency_s


def test_without_overheads_the_run_approaches_the_floor():
    """What stays above the floor are the other commands: each takes a slot of the bus, and no slot is left empty."""
    result = pimsim.simulate("pim_gpt", "gpt3_xl", 2, settings=IDEAL, refresh=False)
    assert 1 <= result.latency_s / result.streaming_floor_s < 1.15
    commands_a_channel = sum(result.command_counts.values()) / 8
    assert result.dram_cycles < 1.02 * commands_a_channel


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 12), st.sampled_from(["serial", "overlap"]), st.sampled_from(["gpt2_small", "gpt2_xl"]))
def test_more_channels_are_never_slower(channels, issue, workload):
    few = [f"dram.channels={channels}", f"controller.issue={issue}"]
    many = [f"dram.channels={channels + 1}", f"controller.issue={issue}"]
    assert latency(many, workload) <= latency(few, workload)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(["tRCD_ns", "tRP_ns", "tRTP_ns", "tWR_ns", "tRRD_ns"]), st.integers(0, 40), st.integers(1, 9))
def test_longer_timing_is_never_faster(name, time_ns, more_ns):
    base = ["dram.timing.tRAS_ns=5"]
    before = latency([*base, f"dram.timing.{name}={time_ns}"])
    assert latency([*base, f"dram.timing.{name}={time_ns + more_ns}"]) >= before


@settings(max_examples=8, deadline=None)
@given(st.floats(0.05, 2), st.floats(1, 4))
def test_a_slower_asic_is_never_faster(clock_ghz, factor):
    assert latency([f"asic.clock_ghz={clock_ghz}"]) >= latency([f"asic.clock_ghz={clock_ghz * factor}"])


def test_longer_context_is_never_faster_and_grows_attention_alone():
    result = pimsim.simulate("pim_gpt", "gpt2_medium", 200, settings=MODEL, refresh=False)
    assert result.token_latency_s["last"] > result.token_latency_s["first"]
    short = pimsim.simulate("pim_gpt", "gpt2_medium", 100, settings=MODEL, refresh=False)
    for op in ("qkv", "ffn1", "ffn2", "proj", "lm_head"):
        assert result.critical_path_s[op] == pytest.approx(2 * short.critical_path_s[op], rel=0.01)
    assert result.critical_path_s["context"] > 2.05 * short.critical_path_s["context"]


def test_overlap_is_never_slower_than_serial():
    assert latency(["controller.issue=overlap"]) <= latency(["controller.issue=serial"])


def test_packed_rows_beat_one_row_per_output():
    assert latency([], "gpt2_small") < latency(["mapping=row_per_output"], "gpt2_small")


def test_prompt_tokens_go_without_head_but_the_last():
    alone = [*MODEL, "workload.request.prefill_chunk=1"]
    one = pimsim.simulate("pim_gpt", "gpt2_medium", 2, 1, settings=alone, refresh=False)
    prompt = pimsim.simulate("pim_gpt", "gpt2_medium", 1, 2, settings=alone, refresh=False)
    assert prompt.critical_path_s["lm_head"] == pytest.approx(one.critical_path_s["lm_head"] / 2, rel=0.01)
    assert prompt.prompt_latency_s > 0 and one.prompt_latency_s == 0
    assert prompt.latency_s < one.latency_s


def test_sram_that_is_too_small_costs_link_time_and_bytes():
    roomy = pimsim.simulate("pim_gpt", "gpt2_medium", 2, settings=MODEL)
    tight = pimsim.simulate("pim_gpt", "gpt2_medium", 2, settings=[*MODEL, "asic.sram_kib=2"])
    assert tight.latency_s > roomy.latency_s and tight.external_bytes > roomy.external_bytes
    assert sum(channel["wait_link"] for channel in tight.cycle_breakdown.values()) > 0
    assert sum(channel["wait_link"] for channel in roomy.cycle_breakdown.values()) == 0


def test_more_accumulators_never_slow_a_run():
    assert latency(["pim.accumulators_per_bank=4"]) <= latency(["pim.accumulators_per_bank=1"])


def test_results_do_not_depend_on_how_steps_are_batched(monkeypatch):
    whole = pimsim.simulate("pim_gpt", "gpt2_small", 12, settings=MODEL)
    monkeypatch.setattr("pimsim.engine.fast.BATCH_STEPS", 5)
    parts = pimsim.simulate("pim_gpt", "gpt2_small", 12, settings=MODEL)
    assert parts.cycle_breakdown == whole.cycle_breakdown and parts.command_counts == whole.command_counts
    assert parts.token_latency_s == whole.token_latency_s and parts.energy_j == whole.energy_j
