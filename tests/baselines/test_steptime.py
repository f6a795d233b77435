"""The step-time formula against arithmetic by hand, and costs against the graph they are derived from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.baselines import costs as cost_functions
from pimsim.baselines.calibration import PARAMETERS
from pimsim.baselines.costs import step_costs
from pimsim.baselines.stacks import FRAMEWORKS, STACKS, framework_of, kernel_count, kernels_of
from pimsim.baselines.steptime import SOCKET_GAIN, Run, features, prompt_features, step_time
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.errors import ConfigError
from pimsim.workload.model import DecoderModel

FLAT = {p.name: 1.0 if p.name.startswith("efficiency") else 0.0 for p in PARAMETERS}
AT_ONE = np.array([1.0])


def _run(device: str, workload: str, framework: str, weight_bytes: float = 2, devices: int = 1) -> Run:
    model = DecoderModel(load_workload(workload).model)
    return Run(load_baseline(device), model, FRAMEWORKS[framework], weight_bytes, devices)


def _seconds(run: Run, context: float = 1.0, **parameters: float) -> float:
    return float(step_time(features(run, np.array([context])), FLAT | parameters).step_s[0])


@pytest.mark.parametrize(
    ("framework", "workload", "layer", "rest"),
    [
        # norms 2, products 4, cache 2, attention 1 + 2 + 2, GELU 8, residuals 2; embedding 3, norm, head, selection 12
        ("transformers", "gpt2_small", 2 + 4 + 2 + 5 + 8 + 2, 3 + 1 + 1 + 12),
        # norms 2 x 8, products 7, rotations 2 x 5, cache 2, attention 5, gate 2, residuals 2; 3 + norm 8 + head + 12
        ("transformers", "llama2_7b", 16 + 7 + 10 + 2 + 5 + 2 + 2, 3 + 8 + 1 + 12),
        # norm and residual in one, qkv, attention with cache and rotation, proj, ffn1, GELU, ffn2, last residual
        ("faster_transformer", "gpt2_small", 9, 1 + 1 + 1 + 8),
        # norms 2, qkv, rotation, cache, attention, proj, gate and up, SwiGLU, down
        ("vllm", "llama2_7b", 10, 1 + 1 + 1 + 10),
        # norms 2 x 2, products 4 with 4 biases, cache 2, attention 1 + 1 + 2, GELU, residuals 2
        ("llama_cpp", "gpt2_small", 4 + 8 + 2 + 4 + 1 + 2, 2 + 2 + 1 + 1),
    ],
)
def test_kernels_are_counted_from_the_graph(framework: str, workload: str, layer: int, rest: int) -> None:
    model = DecoderModel(load_workload(workload).model)
    assert kernel_count(FRAMEWORKS[framework], model) == layer * model.spec.layers + rest


def test_layer_products_alone_are_four_kernels_when_fused() -> None:
    model = DecoderModel(load_workload("llama2_7b").model)
    assert kernel_count(FRAMEWORKS["kernel_sum"], model, linear_only=True) == 4 * 32


def test_a_kernel_bound_step_is_kernels_times_gap() -> None:
    run = _run("h100", "gpt2_small", "vllm")
    base, slow = _seconds(run), _seconds(run, gap_stream_us=1e4, fixed_fused_us=500.0)
    assert slow - base == pytest.approx(kernel_count(run.framework, run.model) * 1e-2 + 500e-6)


def test_eager_takes_the_slower_of_host_and_device() -> None:
    run = _run("a100_80", "gpt2_small", "transformers")
    launches_s = kernel_count(run.framework, run.model) * 20e-6
    assert _seconds(run, launch_us=20.0) == pytest.approx(launches_s)
    faster_memory = replace(run, baseline=load_baseline("a100_80", ["memory.bandwidth_gb_per_s=4000"]))
    assert _seconds(faster_memory, launch_us=20.0) == pytest.approx(launches_s)
    assert _seconds(run, launch_us=0.01) == pytest.approx(_seconds(run))


def test_a_faster_host_launches_faster() -> None:
    server, desktop = (_run(name, "gpt2_small", "transformers") for name in ("h100", "rtx_4090"))
    assert _seconds(server, launch_us=50.0) == pytest.approx(1.6 * _seconds(desktop, launch_us=50.0))


def test_linear_layers_stream_their_weights_at_the_efficiency() -> None:
    run = replace(_run("h100", "llama2_7b", "kernel_sum"), linear_only=True)
    weights = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    activations = 32 * (8 * 4096 + 3 * 4096 + 3 * 11008)
    expected = 2 * (weights + activations) / 3350e9 / 0.5
    assert _seconds(run, efficiency_hbm=0.5) == pytest.approx(expected, rel=1e-9)


def test_context_costs_the_reading_of_keys_and_values() -> None:
    run = _run("h100", "llama3_1_8b", "vllm")
    more = _seconds(run, 3000.0) - _seconds(run, 1000.0)
    keys_and_values = 32 * 2 * 8 * 128 * 2000
    softmax_s = 32 * 5 * 32 * 2000 / (0.5 * 989.4e12)
    assert more == pytest.approx(2 * keys_and_values / 3350e9 + softmax_s, rel=1e-9)


def test_several_gpus_share_the_traffic_and_meet_twice_a_layer() -> None:
    one, four = _run("a100_80", "llama2_7b", "vllm"), _run("a100_80", "llama2_7b", "vllm", devices=4)
    assert _seconds(four) == pytest.approx(_seconds(one) / 4)
    assert _seconds(four, all_reduce_fused_us=100.0) - _seconds(four) == pytest.approx(2 * 32 * 100e-6)


def test_several_sockets_add_little() -> None:
    one, two = (_run("xeon_platinum_8480", "qwen2_5_7b", "llama_cpp", devices=n) for n in (1, 2))
    assert _seconds(one) == pytest.approx(SOCKET_GAIN * _seconds(two))


@pytest.mark.parametrize("weight_bytes", [1.0, 0.5625])
def test_quantised_weights_leave_keys_and_values_alone(weight_bytes: float) -> None:
    full, small = (_run("h100", "llama2_7b", "torch_compile", b) for b in (2.0, weight_bytes))
    slopes = [_seconds(run, 4000.0) - _seconds(run, 1.0) for run in (full, small)]
    assert slopes[0] == pytest.approx(slopes[1])
    assert weight_bytes / 2 < _seconds(small) / _seconds(full) < weight_bytes / 2 + 0.01


def test_a_prompt_of_one_token_is_a_step() -> None:
    run = _run("l4", "qwen2_5_3b", "vllm")
    prompt = step_time(prompt_features(run, 1), FLAT)
    assert float(prompt.step_s[0]) == pytest.approx(_seconds(run), rel=1e-12)


def test_a_long_prompt_is_bound_by_arithmetic() -> None:
    run = _run("t4", "llama3_2_1b", "vllm")
    found = float(step_time(prompt_features(run, 2048), FLAT).step_s[0])
    products = run.model.parameters - 128256 * 2048
    attended = 2048 * 2049 / 2
    flop = 2 * 2048 * products + (2 * 2 * 64 + 5) * 16 * 32 * attended
    norms_residuals_gate_rotations_cache = 2 * 2 * 2048 + 2 * 3 * 2048 + 3 * 8192 + 2 * (2048 + 512) + 2 * 2 * 512
    moved_s = 2 * 2048 * 16 * norms_residuals_gate_rotations_cache / 320e9
    head_s = 2 * 128256 * 2048 / 320e9
    assert found == pytest.approx(flop / (0.5 * 65e12) + moved_s + head_s, rel=2e-3)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("workload", ["gpt2_small", "llama3_2_1b"])
def test_every_framework_counts_every_operation_and_adds_time(framework: str, workload: str) -> None:
    run = _run("a100_80", workload, framework)
    parameters = {p.name: p.prior for p in PARAMETERS}
    assert all(kernels_of(run.framework, op) >= 0 for section in run.model.sections() for op in section.ops)
    assert _seconds(run, **parameters) > _seconds(run)


def test_an_unknown_stack_names_the_nearest() -> None:
    assert {framework_of(stack).stack for stack in STACKS} == set(STACKS)
    with pytest.raises(ConfigError, match=r"unknown software stack 'compild' \(did you mean 'compiled'\?\)"):
        framework_of("compild")


@settings(max_examples=25)
@given(workload=st.sampled_from(["gpt2_small", "qwen2_5_0_5b", "gemma_2b"]), context=st.integers(1, 3000))
def test_costs_are_exactly_those_of_the_graph_at_any_context(workload: str, context: int) -> None:
    model = DecoderModel(load_workload(workload).model)
    ops, costs = [(op, section.times) for section in model.sections() for op in section.ops], step_costs(model)
    assert sum(c.count for c in costs) == sum(count for _, count in ops)
    total = sum(c.count * float(c.flop_at(context)) for c in costs)
    assert total == sum(count * cost_functions.flop(op, context) for op, count in ops)
    total = sum(c.count * (float(c.kv_at(context)) + c.activations + c.weights) for c in costs)
    assert total == sum(count * cost_functions.moved_elements(op, context) for op, count in ops)


def test_a_step_reads_every_parameter_but_the_embedding_table() -> None:
    for name in ("llama2_7b", "qwen2_5_7b"):
        model = DecoderModel(load_workload(name).model)
        read = sum(cost.count * cost.weights for cost in step_costs(model))
        table = model.spec.vocabulary * model.spec.d_model
        assert read == model.parameters - table + model.spec.d_model
