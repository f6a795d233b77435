"""A hub folder's model on a device: given tokens run on numbers by the very programs that are timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.asic.numerics import Numerics, approximate
from pimsim.config.device import Device
from pimsim.engine.fast import FastEngine
from pimsim.functional.bf16 import FloatArray
from pimsim.functional.compare import Ranges, function_errors
from pimsim.functional.device_logits import DeviceRun, device_run, has_experts
from pimsim.functional.generate import issued, numerics_named
from pimsim.functional.hub_weights import HubWeights
from pimsim.functional.weights import Weights
from pimsim.hub.folder import HubFolder
from pimsim.result.assemble import assemble
from pimsim.result.run_result import RunResult
from pimsim.simulation import resolve
from pimsim.workload.feeding import feedings, step_of
from pimsim.workload.model import DecoderModel, Request, make_request


@dataclass(frozen=True, eq=False)
class DeviceGeneration:
    """What a device made of given tokens.

    ``token_ids``: its own choice at each generated place, from ``logits`` (generated, vocabulary). ``every_logits``: those after every
    token, if they were asked for. ``equal_counts``: whether as many commands were executed on numbers as were timed.
    """

    token_ids: tuple[int, ...]
    logits: FloatArray
    every_logits: FloatArray | None
    result: RunResult
    numerics: str
    equal_counts: bool
    functions: dict[str, dict[str, float]]

    def to_dict(self, reference: NDArray[np.float64]) -> dict[str, Any]:
        """Plain values, beside a reference's logits at the same places."""
        error = np.abs(self.logits - reference).max(1)
        best = np.sort(reference, 1)
        margin = best[:, -1] - best[:, -2]
        agrees = self.logits.argmax(1) == reference.argmax(1)
        return {
            "token_ids": list(self.token_ids),
            "numerics": self.numerics,
            "token_agreement": float(agrees.mean()),
            "disagreements_beyond_error": int((~agrees & (margin > 2 * error)).sum()),
            "logits_max_error": float(error.max()),
            "logits_max_error_over_std": float(error.max() / reference.std()),
            "dram_cycles": self.result.dram_cycles,
            "latency_s": self.result.latency_s,
            "energy_j": self.result.energy_j,
            "commands_equal_timed": self.equal_counts,
            "asic_functions": self.functions,
            "result": self.result.to_dict(),
        }


def generate_on_device(
    hardware: str | Path, folder: str | Path, source: HubFolder, tokens: Sequence[int], prompt: int,
    encoder: Sequence[int], settings: Sequence[str], numerics: str, every_logits: bool,
) -> DeviceGeneration:  # fmt: skip
    """Feed ``tokens``, the first ``prompt`` of which are the prompt, and time what was executed. Raises PimsimError."""
    device, spec = resolve(hardware, folder, settings)
    model, began = DecoderModel(spec.model), time.perf_counter()
    chunk = 1 if has_experts(model) else None
    given = make_request(spec, len(tokens) - prompt, prompt, batch=1, prefill_chunk=chunk)
    request = Request(prompt, len(tokens) - prompt, 1, given.prefill_chunk, encoder_tokens=len(encoder))
    weights, ranges = HubWeights(source, model), Ranges()
    run = device_run(device, model, weights, ranges.watch(numerics_named(numerics, device)), request)
    logits = _fed(run, request, tokens, encoder)
    outcome = FastEngine(device).run(iter(run.programs))
    every = _every(device, model, weights, numerics_named(numerics, device), request, tokens, encoder) if every_logits else None
    return DeviceGeneration(
        token_ids=tuple(logits.argmax(1).tolist()),
        logits=logits,
        every_logits=every,
        result=assemble(device, spec, request, run.lowering.placement, outcome, "fast", time.perf_counter() - began),
        numerics=numerics,
        equal_counts=bool(np.array_equal(issued(outcome), run.executor.machine.executed)),
        functions=function_errors(approximate(device.asic), ranges),
    )


def _fed(run: DeviceRun, request: Request, tokens: Sequence[int], encoder: Sequence[int]) -> FloatArray:
    """Logits of the rows that select a token, as the request's steps feed them."""
    if encoder:
        run.encode(encoder)
    found = [run.feed(step_of(together, {0: list(tokens)})).logits for together in feedings(request)]
    return np.concatenate([logits for logits in found if len(logits)])


def _every(
    device: Device, model: DecoderModel, weights: Weights, numerics: Numerics, request: Request, tokens: Sequence[int],
    encoder: Sequence[int],
) -> FloatArray:  # fmt: skip
    """Logits after every token, the last generated one included."""
    longer = Request(request.prompt_tokens + request.generate_tokens, 1, 1, request.prefill_chunk)
    run = device_run(device, model, weights, numerics, longer)
    if encoder:
        run.encode(encoder)
    return run.logits(tokens, request.prefill_chunk)
