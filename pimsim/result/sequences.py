"""What each sequence of a request saw: when its first token came, how long the others took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.units import ps_to_s
from pimsim.workload.counts import decoding_macs, encoder_macs, logits_macs, op_macs
from pimsim.workload.feeding import feedings
from pimsim.workload.model import DecoderModel, Request

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class SequenceTimes:
    """One sequence; times from the start of the request to the end of its first and last token's steps."""

    prompt_tokens: int
    first_ps: int
    last_ps: int
    macs: int


def sequence_times(model: DecoderModel, request: Request, step_ps: IntArray) -> list[SequenceTimes]:
    """Times of every sequence, from the times of the request's steps."""
    ends = np.cumsum(step_ps)[int(request.encoder_tokens > 0) :]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for end, together in zip(ends.tolist(), feedings(request), strict=True):
        for one in together:
            if one.selects:
                first.setdefault(one.sequence, end)
                last[one.sequence] = end
    return [
        SequenceTimes(prompt, first[s], last[s], sequence_macs(model, request, prompt))
        for s, prompt in enumerate(request.prompt_lengths)
    ]


def selecting_steps(request: Request) -> list[bool]:
    """For each step of a request whether it selects a token for any sequence."""
    found = [any(one.selects for one in together) for together in feedings(request)]
    return [False] * int(request.encoder_tokens > 0) + found


def sequence_macs(model: DecoderModel, request: Request, prompt: int) -> int:
    """Multiply-accumulates of one sequence's matrix products, without padding: exact, by summing the graph."""
    steps, encoder = prompt + request.generate_tokens - 1, request.encoder_tokens
    once = encoder_macs(model, encoder) if encoder else 0
    return once + decoding_macs(model, steps, encoder) + request.generate_tokens * logits_macs(model)


def asic_macs(model: DecoderModel, request: Request) -> int:
    """Multiply-accumulates of short convolutions and states of all sequences, which the ASIC does beside the matrix products."""
    tokens = sum(prompt + request.generate_tokens - 1 for prompt in request.prompt_lengths)
    of_token = sum(
        section.times * op_macs(op, 1)
        for section in model.sections()
        for op in section.ops
        if op.kind in ("conv", "state_update")
    )
    return tokens * of_token


def described(times: Sequence[SequenceTimes], request: Request, energy_j: float) -> list[dict[str, Any]]:
    """Every sequence in plain values; the energy is shared out by multiply-accumulates."""
    total = sum(one.macs for one in times)
    return [
        {
            "prompt_tokens": one.prompt_tokens,
            "ttft_s": ps_to_s(one.first_ps),
            "tpot_s": _per_token_s(one, request),
            "latency_s": ps_to_s(one.last_ps),
            "energy_per_token_j": energy_j * one.macs / total / request.generate_tokens,
        }
        for one in times
    ]


def spread(times: Sequence[SequenceTimes], request: Request) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and largest time to the first token, and time per token after it."""
    first = [ps_to_s(one.first_ps) for one in times]
    each = [_per_token_s(one, request) for one in times]
    return {"mean": float(np.mean(first)), "max": max(first)}, {"mean": float(np.mean(each)), "max": max(each)}


def _per_token_s(one: SequenceTimes, request: Request) -> float:
    """Seconds a token after the first; 0 for a request of one token."""
    others = request.generate_tokens - 1
    return ps_to_s(one.last_ps - one.first_ps) / others if others else 0.0
