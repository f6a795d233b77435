"""Baselines on graphs beyond GPT-2 and Llama: chosen experts, windows, latents, states and encoders, counted once each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pimsim.baselines.capacity import needed_bytes
from pimsim.baselines.costs import body_costs, encoder_costs, step_costs
from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.run import stack_run
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.workload.model import DecoderModel, Request, make_request
from pimsim.workload.parameters import counts
from tests.workload.hub_cases import TINY, folder


def _tiny(tmp_path: Path, name: str) -> DecoderModel:
    return DecoderModel(load_workload(folder(tmp_path, TINY[name]["config"], name)).model)


def _read(model: DecoderModel, context: int) -> tuple[float, float]:
    """Parameters, and K, V and state elements, that a step reads and writes."""
    costs = step_costs(model)
    return sum(c.count * c.weights for c in costs), sum(c.count * (float(c.kv_at(context)) + c.state) for c in costs)


@pytest.mark.parametrize("name", ["mixtral", "qwen2_moe", "qwen3_moe_dense_mix", "deepseek_v2", "deepseek_v3"])
def test_a_step_reads_the_chosen_experts_only(tmp_path: Path, name: str) -> None:
    model = _tiny(tmp_path, name)
    weights, _ = _read(model, 1)
    unread = 0
    for layer in range(model.spec.layers):
        part = model.spec.block(layer).feed_forward
        if part.kind == "experts":
            unread += (part.count - part.chosen) * 3 * part.width * model.spec.d_model
    corrections = sum(tensor.elements for tensor in model.tensors if not tensor.counted)
    table = model.spec.vocabulary * model.spec.d_model
    assert weights == model.parameters + corrections - unread - table + model.spec.d_model


def test_many_rows_together_read_more_experts_but_never_more_than_there_are(tmp_path: Path) -> None:
    model = _tiny(tmp_path, "mixtral")
    expert = next(cost for cost in body_costs(model) if cost.kind == "expert_vmm")
    assert expert.weights_of(1) == expert.weights == 2 * 48 * 112
    assert expert.weights_of(2) == pytest.approx(4 * (1 - 0.25) * 48 * 112)
    assert expert.weights_of(1000) == pytest.approx(4 * 48 * 112)


def test_a_window_bounds_what_is_read_and_kept(tmp_path: Path) -> None:
    model = _tiny(tmp_path, "mistral_window4")
    row = 2 * 3 * 20  # K and V, layers, one head
    assert [_read(model, context)[1] for context in (1, 4, 5, 90)] == [row * 2, row * 5, row * 5, row * 5]
    weights = model.parameters * 2
    assert [needed_bytes(model, Request(1, n), 2, 2) - weights for n in (3, 50)] == [2 * row * 3, 2 * row * 4]


def test_a_latent_is_read_once_and_kept_once(tmp_path: Path) -> None:
    model = _tiny(tmp_path, "deepseek_v2")
    latents = [cost for cost in step_costs(model) if cost.kind in ("scores", "context")]
    assert sum(cost.count * float(cost.kv_at(10)) for cost in latents) == 3 * (20 + 6) * 10
    assert needed_bytes(model, Request(1, 10), 0, 1) == 3 * (20 + 6) * 10


def test_a_state_is_read_and_written_once_a_step_whatever_the_context(tmp_path: Path) -> None:
    model = _tiny(tmp_path, "mamba2")
    state = TINY["mamba2"]["expected"]["state_elements"]
    assert _read(model, 1)[1] == _read(model, 60)[1] == 2 * state
    assert needed_bytes(model, Request(1, 60), 0, 1) == state


def test_an_encoder_runs_once_and_its_keys_and_values_are_read_at_every_step(tmp_path: Path) -> None:
    spec = load_workload(folder(tmp_path, TINY["t5"]["config"], "t5"), ["request.encoder_tokens=7", "request.generate_tokens=5"])
    model, request = DecoderModel(spec.model), make_request(spec)
    assert request.encoder_tokens == 7
    kept = TINY["t5"]["expected"]["cross_kv_elements_per_encoder_token"]
    with_encoder, without = (sum(c.count * float(c.kv_at(3)) for c in body_costs(model, n)) for n in (7, 0))
    assert with_encoder - without == 7 * kept
    assert sum(c.count * c.kv for c in encoder_costs(model)) == kept + 2 * 2 * 4 * 12
    baseline = load_baseline("t4")
    short, longer = (roofline_run(baseline, model, replace(request, encoder_tokens=n)) for n in (7, 70))
    assert longer.prompt_s > short.prompt_s and longer.token_latency_s > short.token_latency_s
    without, once = (stack_run(baseline, model, replace(request, encoder_tokens=n), "eager") for n in (0, 7))
    assert once.prompt_s > 1.2 * without.prompt_s


@pytest.mark.parametrize("name", TINY)
def test_every_family_runs_on_baselines(tmp_path: Path, name: str) -> None:
    model = _tiny(tmp_path, name)
    request = Request(3, 4, encoder_tokens=5 if "encoder" in model.stacks else 0)
    assert roofline_run(load_baseline("h100"), model, request).latency_s > 0
    assert stack_run(load_baseline("h100"), model, request, "fused").latency_s > 0
    macs = sum(c.count * c.flop_at(9) / 2 for c in step_costs(model, request.encoder_tokens))
    assert macs > counts(model, 9, request.encoder_tokens)["linear_macs"]
