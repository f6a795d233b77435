"""A request of any batch on a baseline device, plainly or under a decoding strategy: the same rows as on PIM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pimsim.baselines.result import device_energy_j
from pimsim.baselines.rows import RowTimes
from pimsim.baselines.stacks import framework_of
from pimsim.baselines.steptime import Run
from pimsim.baselines.validate import error_band, shipped_calibration
from pimsim.config.baseline import BYTES_PER_DTYPE, Baseline
from pimsim.decoding.numbers import histogram
from pimsim.decoding.schedule import Planned, Schedule
from pimsim.decoding.strategy import Strategy
from pimsim.decoding_run.models import resident_models
from pimsim.errors import CapacityError, RequestError
from pimsim.units import BYTES_PER_GB
from pimsim.workload.feeding import steps_of
from pimsim.workload.model import DecoderModel, Request

IDEAL = "ideal"


@dataclass
class BaselineRows:
    """``latency_s`` and ``busy_s`` (the device computes) of all steps; ``phases``: seconds by phase; ``first_s``: until the first token."""

    latency_s: float = 0.0
    busy_s: float = 0.0
    first_s: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)


def run_rows(
    baseline: Baseline, model: DecoderModel, request: Request, stack: str = IDEAL, strategy: Strategy | None = None
) -> dict[str, Any]:
    """Latency, energy and what a strategy did, in plain values. ``stack``: ``ideal`` or a software stack of the calibration.

    Weights are read once a step, arithmetic is done for every row, K and V are read once for each sequence. Raises CapacityError if the
    models with K and V of all sequences do not fit, RequestError for models that do not fit together.
    """
    models: list[DecoderModel | None] = [model] if strategy is None else resident_models(strategy, model)
    if request.encoder_tokens:
        raise RequestError("batches and strategies on baseline devices are modelled for decoders without an encoder")
    element = BYTES_PER_DTYPE[baseline.spec.dtype]
    _check_capacity(baseline, models, request, element)
    framework = framework_of(stack if stack != IDEAL else "eager")
    parameters = None if stack == IDEAL else shipped_calibration()
    times = [None if one is None else RowTimes(Run(baseline, one, framework, element), parameters) for one in models]
    schedule = (
        None if strategy is None else Schedule(strategy, request.prompt_lengths, request.generate_tokens, request.prefill_chunk)
    )
    found = BaselineRows()
    for planned in _planned(request, schedule):
        here = times[planned.step.model]
        assert here is not None
        seconds, busy = here.step(planned.step, planned.layers)
        found.latency_s, found.busy_s = found.latency_s + seconds, found.busy_s + busy
        found.phases[planned.phase] = found.phases.get(planned.phase, 0.0) + seconds
        if planned.step.logits and not found.first_s:
            found.first_s = found.latency_s
    return _described(baseline, request, stack, found, schedule, None if stack == IDEAL else error_band(framework.stack))


def _planned(request: Request, schedule: Schedule | None) -> Iterator[Planned]:
    if schedule is None:
        for step in steps_of(request):
            yield Planned("plain" if step.logits else "prefill", step)
        return
    yield from schedule.prefill()
    yield from schedule.steps()


def _described(
    baseline: Baseline,
    request: Request,
    stack: str,
    found: BaselineRows,
    schedule: Schedule | None,
    band: tuple[float, float] | None,
) -> dict[str, Any]:
    tokens = request.batch * request.generate_tokens
    energy = device_energy_j(baseline, found.latency_s, found.busy_s)
    values: dict[str, Any] = {
        "device": baseline.name, "stack": stack, "batch": request.batch, "prefill_chunk": request.prefill_chunk,
        "prompt_tokens": request.prompt_tokens, "generated_tokens": request.generate_tokens, "latency_s": found.latency_s,
        "ttft_s": found.first_s, "tokens_per_s": tokens / found.latency_s, "energy_j": energy.model_dump(),
        "energy_per_token_j": energy.nominal / tokens, "energy_scope": baseline.spec.power.scope, "error_band": band,
        "breakdown_s": found.phases,
    }  # fmt: skip
    if schedule is not None:
        kept = [len(one.tokens) for one in schedule.rounds]
        values["decoding"] = {
            **schedule.strategy.model_dump(exclude_none=True),
            "tokens_per_step": sum(kept) / len(kept),
            "acceptance_histogram": histogram(schedule.rounds),
        }
    return values


def _check_capacity(baseline: Baseline, models: list[DecoderModel | None], request: Request, element: float) -> None:
    needed = 0.0
    for model in models:
        if model is not None:
            kept = sum(cache.elements_a_position * min(cache.positions, request.steps) for cache in model.caches)
            needed += (model.parameters + request.batch * kept) * element
    held = baseline.spec.memory.capacity_gb
    if needed / BYTES_PER_GB > held:
        raise CapacityError(
            f"{len(models)} resident model(s) and K/V of {request.batch} sequence(s) need {needed / BYTES_PER_GB:.1f} GB; "
            f"{baseline.name} holds {held:g} GB (memory.capacity_gb)"
        )
