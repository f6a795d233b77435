"""Simulate a request on a device: the path from two descriptions to a RunResult."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pimsim.config.device import Device
from pimsim.config.load import load_hardware, load_workload, split_overrides
from pimsim.config.workload import WorkloadSpec
from pimsim.engine.fast import FastEngine
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.reference import ReferenceEngine
from pimsim.errors import ConfigError, nearest
from pimsim.mapping.placement import Placement, place
from pimsim.program.instruction import StepProgram
from pimsim.program.kinds import check_model
from pimsim.program.lower import Lowering
from pimsim.result.assemble import assemble
from pimsim.result.run_result import RunResult
from pimsim.workload.feeding import count_steps, steps_of
from pimsim.workload.model import DecoderModel, Request, make_request

ENGINES: dict[str, type[FastEngine] | type[ReferenceEngine]] = {"fast": FastEngine, "reference": ReferenceEngine}


@dataclass(frozen=True, eq=False)
class Execution:
    """A finished run with all that its result is computed from."""

    device: Device
    workload: WorkloadSpec
    request: Request
    placement: Placement
    outcome: EngineOutcome
    engine: str
    wall_s: float

    def result(self) -> RunResult:
        """Every reported figure of the run."""
        return assemble(self.device, self.workload, self.request, self.placement, self.outcome, self.engine, self.wall_s)


def simulate(
    hardware: str | Path | Device,
    workload: str | Path | WorkloadSpec,
    tokens: int | None = None,
    prompt: int | None = None,
    *,
    batch: int | None = None,
    prefill_chunk: int | None = None,
    settings: Iterable[str] = (),
    engine: str = "fast",
    refresh: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Simulate every command of generating ``tokens`` tokens after a prompt of ``prompt`` tokens.

    ``batch`` sequences are decoded together; ``prefill_chunk`` prompt tokens of each are fed in one step.
    ``hardware`` and ``workload`` are shipped names, paths, or loaded descriptions. ``settings`` are ``path=value``
    overrides (hardware paths, or ``workload.`` paths) and need names or paths. ``refresh=False`` switches refresh off.
    ``engine`` is ``fast`` or ``reference``: equal results, the second some thousand times slower, for a few tokens.
    ``progress(done, total)`` is called now and then with steps.
    Raises PimsimError for anything that is wrong with the input.
    """
    execution = execute(
        hardware, workload, tokens, prompt, batch=batch, prefill_chunk=prefill_chunk,
        settings=settings, engine=engine, refresh=refresh, progress=progress,
    )  # fmt: skip
    return execution.result()


def execute(
    hardware: str | Path | Device,
    workload: str | Path | WorkloadSpec,
    tokens: int | None = None,
    prompt: int | None = None,
    *,
    batch: int | None = None,
    prefill_chunk: int | None = None,
    settings: Iterable[str] = (),
    engine: str = "fast",
    refresh: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Execution:
    """As ``simulate``, with the engine's counters (``outcome.step_ps`` is the time of every step) beside the result."""
    device, spec = resolve(hardware, workload, settings, refresh)
    request = make_request(spec, tokens, prompt, batch, prefill_chunk)
    if engine not in ENGINES:
        raise ConfigError(f"unknown engine '{engine}'{nearest(engine, ENGINES)}; allowed: {', '.join(ENGINES)}")
    began = time.perf_counter()
    lowering = lowering_for(device, DecoderModel(spec.model), request)
    total = count_steps(request) if progress else 0
    report = (lambda done: progress(done, total)) if progress else None
    outcome = ENGINES[engine](device).run(step_programs(lowering, request), report)
    return Execution(device, spec, request, lowering.placement, outcome, engine, time.perf_counter() - began)


def lowering_for(device: Device, model: DecoderModel, request: Request) -> Lowering:
    """``model`` placed for the request's sequences, ready to lower its steps.

    Raises ConfigError for a plain DRAM, MappingError for a model with an operation that has no lowering, then CapacityError if it does not fit.
    """
    device.require_pim()
    check_model(model)
    return Lowering(device, model, place(device, model, request.batch, request.rows_at_once), choices=request.experts)


def step_programs(lowering: Lowering, request: Request) -> Iterator[StepProgram]:
    """Programs of all steps of a request, one at a time."""
    for step in steps_of(request):
        yield lowering.program(step)


def resolve(
    hardware: str | Path | Device, workload: str | Path | WorkloadSpec, settings: Iterable[str] = (), refresh: bool = True
) -> tuple[Device, WorkloadSpec]:
    """Load what is given by name, with overrides. Raises ConfigError if overrides meet an already loaded description."""
    hardware_settings, workload_settings = split_overrides(settings)
    if not refresh:
        hardware_settings.append("dram.refresh.mode=none")
    if isinstance(hardware, Device):
        if hardware_settings:
            raise ConfigError(f"settings ({', '.join(hardware_settings)}) need the hardware by name or path, not loaded")
        device = hardware
    else:
        device = load_hardware(hardware, hardware_settings)
    if isinstance(workload, WorkloadSpec):
        if workload_settings:
            raise ConfigError(f"settings ({', '.join(workload_settings)}) need the workload by name or path, not loaded")
        spec = workload
    else:
        spec = load_workload(workload, workload_settings)
    return device, spec
