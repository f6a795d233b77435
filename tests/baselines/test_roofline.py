"""Ideal roofline against arithmetic written out from the paper shapes, not from the operation graph."""

from __future__ import annotations

import pytest

from pimsim.baselines.roofline import roofline_run
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.errors import CapacityError
from pimsim.workload.model import DecoderModel, Request


def _model(name: str, *overrides: str) -> DecoderModel:
    return DecoderModel(load_workload(name, overrides).model)


def _bandwidth_bound_s(d: int, ff: int, layers: int, vocabulary: int, steps: int, bytes_per_s: float) -> float:
    """Seconds of ``steps`` decoding steps (context 1 .. steps) of a GPT-2 at 2 B an element, all operations memory-bound.

    Traffic of a layer in elements, operation by operation: weights and biases, K/V, activations in and out.
    """
    total = 0
    for context in range(1, steps + 1):
        norms = 2 * (2 * d + 2 * d)
        products = (3 * d * d + 3 * d + 4 * d) + (d * d + d + 2 * d) + 2 * d * ff + ff + d + 2 * (d + ff)
        attention = 2 * (context * d + d) + 2 * (d + d)
        others = 2 * ff + 2 * 3 * d
        layer = norms + products + attention + others
        head = 4 * d + vocabulary * d + d + vocabulary + vocabulary
        total += layers * layer + head + 2 * d
    return 2 * total / bytes_per_s


def _softmax_s(heads: int, layers: int, steps: int, flop_per_s: float) -> float:
    """Seconds of softmax, which touches no memory: 5 FLOP a score, estimated."""
    return 5 * heads * layers * steps * (steps + 1) / 2 / flop_per_s


@pytest.mark.parametrize("steps", [1, 2, 77])
@pytest.mark.parametrize("device", ["h100", "t4", "m2_ultra"])
def test_memory_bound_request_is_traffic_over_bandwidth(device: str, steps: int) -> None:
    baseline = load_baseline(device)
    result = roofline_run(baseline, _model("gpt2_small"), Request(1, steps))
    expected = _bandwidth_bound_s(768, 3072, 12, 50257, steps, baseline.spec.memory.bandwidth_gb_per_s * 1e9)
    expected += _softmax_s(12, 12, steps, baseline.spec.compute.fp16_bf16_tflops * 1e12)
    assert result.latency_s == pytest.approx(expected, rel=1e-12)


def test_label_and_energy_bounds() -> None:
    baseline = load_baseline("a100_80")
    result = roofline_run(baseline, _model("gpt2_xl"), Request(1, 64))
    assert result.label == "ideal roofline"
    assert result.energy_j.high == pytest.approx(400 * result.latency_s)
    assert 0 < result.energy_j.low < result.energy_j.nominal < result.energy_j.high
    assert result.tokens == 64 and result.error_band is None


def test_four_byte_weights_take_twice_as_long_as_two() -> None:
    cpu = load_baseline("xeon_platinum_8480")
    wide = load_baseline("xeon_platinum_8480", ["dtype=fp32"])
    request = Request(1, 8)
    model = _model("gpt2_medium")
    assert roofline_run(wide, model, request).latency_s == pytest.approx(2 * roofline_run(cpu, model, request).latency_s)


def test_a_slow_arithmetic_unit_makes_the_same_steps_compute_bound() -> None:
    slow = load_baseline("h100", ["compute.fp16_bf16_tflops=0.001"])
    d, ff, layers, vocabulary = 768, 3072, 12, 50257
    products = layers * (2 * (4 * d * d + 2 * d * ff) + 5 * d + ff) + 2 * vocabulary * d
    attention = layers * 2 * 2 * d
    elementwise = layers * (2 * 8 * d + 5 * 12 + 10 * ff + 2 * d) + 8 * d + vocabulary + d
    result = roofline_run(slow, _model("gpt2_small"), Request(1, 1))
    assert result.latency_s == pytest.approx((products + attention + elementwise) / 1e9, rel=5e-3)


def test_the_prompt_is_one_pass_that_reads_weights_once() -> None:
    baseline = load_baseline("h100")
    model = _model("gpt2_xl")
    together = roofline_run(baseline, model, Request(16, 1))
    one_by_one = roofline_run(baseline, model, Request(1, 16))
    single = roofline_run(baseline, model, Request(1, 1))
    assert single.latency_s < together.latency_s < 1.2 * single.latency_s < one_by_one.latency_s / 10
    assert together.prompt_s == together.latency_s == together.token_latency_s


def test_latency_is_prompt_plus_tokens() -> None:
    result = roofline_run(load_baseline("l4"), _model("gpt2_small"), Request(32, 11))
    assert result.latency_s == pytest.approx(result.prompt_s + 10 * result.token_latency_s)
    assert result.tokens_per_s == pytest.approx(11 / result.latency_s)


def test_a_model_beyond_the_memory_is_refused() -> None:
    small = load_baseline("t4", ["memory.capacity_gb=3.0"])
    with pytest.raises(CapacityError, match=r"needs 3\.[0-9] GB with 2 B a weight .* 1 x t4 holds 3 GB .*: 2 devices"):
        roofline_run(small, _model("gpt2_xl"), Request(1, 1))


def test_kv_counts_toward_the_memory() -> None:
    model = _model("gpt2_small", "model.max_context=400000")
    weights_gb = model.parameters * 2 / 1e9
    device = load_baseline("t4", [f"memory.capacity_gb={weights_gb + 0.01}"])
    roofline_run(device, model, Request(1, 10))
    with pytest.raises(CapacityError, match="K/V of 1000 tokens"):
        roofline_run(device, model, Request(1, 1000))
