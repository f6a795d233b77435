"""Requests under software stacks: order of the stacks, exact sums, energy within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.run import stack_run
from pimsim.baselines.stacks import framework_of
from pimsim.baselines.steptime import Run, features, step_time
from pimsim.baselines.validate import shipped_calibration
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.errors import CapacityError, ConfigError
from pimsim.workload.model import DecoderModel, Request


def _model(name: str) -> DecoderModel:
    return DecoderModel(load_workload(name).model)


@pytest.mark.parametrize("device", ["t4", "a100_80", "h200", "rtx_4090"])
@pytest.mark.parametrize("workload", ["gpt2_small", "gpt3_xl", "qwen2_5_3b"])
def test_less_software_is_faster_and_nothing_beats_the_roofline(device: str, workload: str) -> None:
    baseline, model, request = load_baseline(device), _model(workload), Request(1, 64)
    order = [roofline_run(baseline, model, request).latency_s]
    order += [stack_run(baseline, model, request, stack).latency_s for stack in ("kernels", "compiled", "eager")]
    assert order == sorted(order) and len(set(order)) == len(order)


def test_steps_are_summed_one_context_at_a_time() -> None:
    baseline, model, request = load_baseline("h100"), _model("gpt2_medium"), Request(3, 40)
    result = stack_run(baseline, model, request, "vllm")
    run = Run(baseline, model, framework_of("vllm"), 2)
    steps = [
        float(step_time(features(run, np.array([float(c)])), shipped_calibration()).step_s[0]) for c in range(4, 43)
    ]  # the prompt gives the first token
    assert len(steps) == 39
    assert result.latency_s - result.prompt_s == pytest.approx(sum(steps), rel=1e-12)
    assert result.token_latency_s == pytest.approx(sum(steps) / 39, rel=1e-12)


def test_a_single_token_after_a_prompt_is_the_prompt_alone() -> None:
    result = stack_run(load_baseline("h100"), _model("gpt2_medium"), Request(100, 1), "fused")
    assert result.latency_s == result.prompt_s == result.token_latency_s


def test_energy_lies_between_idle_and_thermal_design_power() -> None:
    baseline, model, request = load_baseline("a100_80"), _model("gpt2_xl"), Request(1, 32)
    result = stack_run(baseline, model, request, "compiled")
    assert result.error_band is not None
    low, high = result.error_band
    assert result.energy_j.high == pytest.approx(400 * result.latency_s * high)
    assert result.energy_j.low > baseline.spec.power.idle_w.low * result.latency_s * low
    assert result.energy_j.low < result.energy_j.nominal < result.energy_j.high


def test_waiting_for_the_host_costs_idle_power_only() -> None:
    baseline, model, request = load_baseline("h100"), _model("gpt2_small"), Request(1, 32)
    eager, compiled = (stack_run(baseline, model, request, stack) for stack in ("eager", "compiled"))
    assert eager.energy_j.nominal / eager.latency_s < 0.8 * compiled.energy_j.nominal / compiled.latency_s


def test_power_of_two_gpus_serving_llama_13b_is_near_the_measured_577_watts() -> None:
    """577 W is what the CENT artifact reports beside the row of the shipped table (batch 1, 512 + 3584 tokens, two A100-80)."""
    result = stack_run(load_baseline("a100_80"), _model("llama2_13b"), Request(512, 3584), "vllm", devices=2)
    power_w = result.energy_j.nominal / result.latency_s
    assert power_w == pytest.approx(577, rel=0.2)
    assert result.energy_j.low / result.latency_s < 577 < result.energy_j.high / result.latency_s


def test_more_gpus_hold_more_and_go_faster() -> None:
    baseline, model, request = load_baseline("a100_80"), _model("llama2_70b"), Request(1, 16)
    with pytest.raises(CapacityError, match=r"1 x a100_80 holds 80 GB .*: 2 devices"):
        stack_run(baseline, model, request, "fused")
    two, four = (stack_run(baseline, model, request, "fused", devices=n) for n in (2, 4))
    assert two.device == "2 x a100_80"
    assert 0.5 * two.latency_s < four.latency_s < 0.7 * two.latency_s


@pytest.mark.parametrize(
    ("stack", "devices", "message"),
    [("eagre", 1, "did you mean 'eager'"), ("eager", 2, "eager execution over several devices is not modelled")],
)
def test_what_is_not_modelled_is_refused(stack: str, devices: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        stack_run(load_baseline("a100_80"), _model("gpt2_small"), Request(1, 4), stack, devices)


def test_a_cpu_runs_its_own_way() -> None:
    result = stack_run(load_baseline("xeon_gold_6154"), _model("gpt2_small"), Request(1, 16), "eager")
    ideal = roofline_run(load_baseline("xeon_gold_6154"), _model("gpt2_small"), Request(1, 16))
    assert result.dtype == "fp32" and result.energy_scope == "package"
    assert 2 < result.latency_s / ideal.latency_s < 8
