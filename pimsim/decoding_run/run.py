"""Simulate a request under a decoding strategy on a PIM device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pimsim.config.device import Device
from pimsim.config.workload import WorkloadSpec
from pimsim.decoding.acceptance import Acceptance
from pimsim.decoding.closed_form import tokens_per_round
from pimsim.decoding.feed import Round
from pimsim.decoding.schedule import Planned, Progress, Schedule
from pimsim.decoding.strategy import Strategy
from pimsim.decoding_run.models import resident_models
from pimsim.decoding_run.phases import PhasedRun, run_phases
from pimsim.decoding_run.programs import LayerCuts
from pimsim.engine.fast import FastEngine
from pimsim.errors import RequestError
from pimsim.mapping.placement import Resident, place_all
from pimsim.program.instruction import StepProgram
from pimsim.program.kinds import check_model
from pimsim.program.lower import Lowering
from pimsim.result.run_result import RunResult
from pimsim.simulation import resolve, simulate
from pimsim.workload.feeding import encoder_step
from pimsim.workload.model import DecoderModel, Request, make_request


@dataclass(frozen=True, eq=False)
class DecodedRun:
    """A finished run: device, request, what was placed, counters by phase, rounds, and steps with what they fed."""

    device: Device
    workload: WorkloadSpec
    request: Request
    strategy: Strategy
    models: list[DecoderModel | None]
    lowerings: list[Lowering | None]
    phased: PhasedRun
    planned: list[Planned]
    sequences: list[Progress]
    wall_s: float

    @property
    def rounds(self) -> list[Round]:
        """Rounds of all sequences."""
        return [found for sequence in self.sequences for found in sequence.rounds]


def run_strategy(
    hardware: str | Path | Device, workload: str | Path | WorkloadSpec, strategy: Strategy, tokens: int | None = None,
    prompt: int | None = None, *, batch: int | None = None, prefill_chunk: int | None = None, settings: Iterable[str] = (),
    refresh: bool = True, progress: Callable[[int, int], None] | None = None,
) -> DecodedRun:  # fmt: skip
    """Simulate every command of a request decoded by ``strategy``, with seeded or listed outcomes.

    Raises PimsimError for input that is wrong, models that do not fit together or into the device, and what is not modelled.
    """
    began = time.perf_counter()
    device, spec = resolve(hardware, workload, settings, refresh)
    request = make_request(spec, tokens, prompt, batch, prefill_chunk)
    models = resident_models(strategy, DecoderModel(spec.model))
    schedule = Schedule(strategy, request.prompt_lengths, request.generate_tokens, request.prefill_chunk)
    _check_context(strategy, models, request)
    lowerings = _lowerings(device, models, strategy, request)
    planned: list[Planned] = []

    def programs() -> Iterator[tuple[str, StepProgram]]:
        cuts = LayerCuts()
        total = request.batch * request.generate_tokens
        for one in _steps(schedule, models, request):
            lowering = lowerings[one.step.model]
            assert lowering is not None
            planned.append(one)
            yield one.phase, cuts.cut(lowering.program(one.step), one.layers, one.phase == "fill")
            if progress:
                done = sum(len(sequence.standing.tokens) - sequence.prompt for sequence in schedule.sequences)
                progress(min(done, total), total)

    phased = run_phases(FastEngine(device), programs())
    wall_s = time.perf_counter() - began
    return DecodedRun(device, spec, request, strategy, models, lowerings, phased, planned, schedule.sequences, wall_s)


def _steps(schedule: Schedule, models: list[DecoderModel | None], request: Request) -> Iterator[Planned]:
    if request.encoder_tokens:
        for number, model in enumerate(models):
            if model is not None and model.spec.encoder is not None:
                schedule.count += 1
                yield Planned("prefill", replace(encoder_step(request), model=number))
    yield from schedule.prefill()
    yield from schedule.steps()


def _lowerings(device: Device, models: list[DecoderModel | None], strategy: Strategy, request: Request) -> list[Lowering | None]:
    drafted = strategy.tree()
    nodes = strategy.ahead if drafted is None else len(drafted.parents)
    rows = max(request.rows_at_once, nodes + 2)
    sequences = request.batch * getattr(strategy, "beams", 1)
    placed = []
    for model in models:
        if model is not None:
            check_model(model)
            placed.append(Resident(model, sequences, rows))
    placements = iter(place_all(device, placed))
    return [None if model is None else Lowering(device, model, next(placements)) for model in models]


def _check_context(strategy: Strategy, models: list[DecoderModel | None], request: Request) -> None:
    """Raise RequestError if what is drafted at the end would not fit into the reserved K and V."""
    drafted = strategy.tree()
    nodes = strategy.ahead if drafted is None else len(drafted.parents)
    needed = request.prompt_tokens + request.generate_tokens + nodes
    for number, model in enumerate(models):
        if model is not None and model.caches and needed > model.spec.max_context:
            which = "the target" if number == 0 else f"resident model {number}"
            raise RequestError(
                f"{request.prompt_tokens} prompt + {request.generate_tokens} generated + {nodes} drafted tokens need a context of "
                f"{needed}; K and V space of {which} is reserved for {model.spec.max_context} (model.max_context)"
            )


def plain_result(run: DecodedRun) -> RunResult:
    """The same request decoded plainly on the same device."""
    request = run.request
    prompt = None if request.prompts else request.prompt_tokens
    return simulate(
        run.device, run.workload, request.generate_tokens, prompt, batch=request.batch, prefill_chunk=request.prefill_chunk
    )


def expected_tokens(strategy: Strategy) -> float | None:
    """Closed form of the tokens kept a round; None where there is none."""
    chances, drafted = strategy.chances(), strategy.tree()
    if drafted is None or not isinstance(chances, Acceptance):
        return None
    return tokens_per_round(chances, drafted)


def kept_a_round(rounds: list[Round]) -> tuple[float, float]:
    """Mean of the tokens kept a round, and its standard error."""
    kept = [len(found.tokens) for found in rounds]
    return float(np.mean(kept)), float(np.std(kept) / np.sqrt(len(kept)))
