"""Ideal roofline: every operation at the device's peak arithmetic or peak bandwidth, whichever is slower. A lower bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.baselines.capacity import check_capacity
from pimsim.baselines.costs import OpCost, body_costs, encoder_costs, head_costs, step_costs
from pimsim.baselines.result import BaselineResult, device_energy_j
from pimsim.config.baseline import BYTES_PER_DTYPE, Baseline
from pimsim.workload.model import DecoderModel, Request

LABEL = "ideal roofline"


def roofline_run(baseline: Baseline, model: DecoderModel, request: Request) -> BaselineResult:
    """Run ``request`` with no overhead and full efficiency, weights and K/V in the device's dtype.

    The prompt is one batched pass that reads the weights once; each further token is a step whose context grows by one,
    summed exactly. Raises CapacityError if weights and K/V do not fit.
    """
    element_bytes = BYTES_PER_DTYPE[baseline.spec.dtype]
    check_capacity(baseline, model, request, element_bytes, element_bytes)
    prompt_s = prompt_time_s(baseline, model, request.prompt_tokens, element_bytes, request.encoder_tokens)
    steps_s = decode_times_s(baseline, step_costs(model, request.encoder_tokens), _decode_contexts(request), element_bytes)
    latency_s = prompt_s + float(steps_s.sum())
    return BaselineResult(
        label=LABEL,
        device=baseline.name,
        dtype=baseline.spec.dtype,
        tokens=request.generate_tokens,
        latency_s=latency_s,
        prompt_s=prompt_s,
        token_latency_s=float(steps_s.mean()) if steps_s.size else prompt_s,
        energy_j=device_energy_j(baseline, latency_s, busy_s=latency_s),
        energy_scope=baseline.spec.power.scope,
    )


def decode_times_s(
    baseline: Baseline, costs: list[OpCost], contexts: NDArray[np.int64], element_bytes: float
) -> NDArray[np.float64]:
    """Seconds of a decoding step at each context length: the sum over operations of the slower of the two roofs."""
    total = np.zeros(len(contexts))
    for cost in costs:
        flop = cost.flop_at(contexts)
        elements = cost.weights + cost.activations + cost.state + cost.kv_at(contexts)
        total += cost.count * np.maximum(flop / baseline.flop_per_s(), elements * element_bytes / baseline.bytes_per_s)
    return total


def prompt_time_s(
    baseline: Baseline, model: DecoderModel, prompt_tokens: int, element_bytes: float, encoder_tokens: int = 0
) -> float:
    """Seconds of one pass over the whole prompt: weights and K/V are read once, only the last token takes the LM head.

    An encoder's pass over its tokens, each of which sees all of them, comes before.
    """
    causal, all_of = np.arange(1, prompt_tokens + 1), np.full(encoder_tokens, encoder_tokens)
    body_s = sum(_pass_s(baseline, cost, causal, element_bytes) for cost in body_costs(model, encoder_tokens))
    if encoder_tokens:
        body_s += sum(_pass_s(baseline, cost, all_of, element_bytes) for cost in encoder_costs(model))
    head_s = decode_times_s(baseline, head_costs(model), np.array([prompt_tokens]), element_bytes)
    return body_s + float(head_s[0])


def _pass_s(baseline: Baseline, cost: OpCost, seen: NDArray[np.int64], element_bytes: float) -> float:
    """Seconds of one operation for rows that see ``seen`` positions each: what is kept is read once for all of them."""
    tokens = len(seen)
    flop = float(cost.flop_at(seen).sum())
    elements = cost.weights_of(tokens) + cost.state + (cost.kv + cost.kv_slope + cost.activations) * tokens
    return cost.count * max(flop / baseline.flop_per_s(), elements * element_bytes / baseline.bytes_per_s)


def _decode_contexts(request: Request) -> NDArray[np.int64]:
    return np.arange(request.prompt_tokens + 1, request.steps + 1, dtype=np.int64)
