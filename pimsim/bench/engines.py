"""The fast engine, with and without skipping what repeats, beside the reference engine: same process, same programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from pimsim.bench.measure import Elapsed, median, timed
from pimsim.bench.request_run import HARDWARE
from pimsim.config.device import Device
from pimsim.config.load import load_hardware, load_workload
from pimsim.engine.fast import FastEngine
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.reference import ReferenceEngine
from pimsim.mapping.placement import place
from pimsim.program.instruction import StepProgram
from pimsim.program.lower import Lowering
from pimsim.simulation import step_programs
from pimsim.workload.model import DecoderModel, make_request

MakeEngine = Callable[[], FastEngine | ReferenceEngine]


@dataclass(frozen=True)
class EngineCase:
    """A program to time, and how often; ``reference`` also runs the reference engine on it, once."""

    name: str
    settings: tuple[str, ...]
    tokens: int
    repeats: int
    reference: bool


@dataclass(frozen=True)
class EngineFigures:
    """Median over ``repeats`` of one engine on one program.

    ``times_reference``: speed relative to the reference engine, None where that did not run. ``equal``: time of each step,
    cycles by cause, counts and critical path are those of the case's first engine.
    """

    case: str
    engine: str
    repeats: int
    wall_s: float
    cpu_s: float
    commands: int
    commands_per_s: float
    channel_cycles: int
    channel_cycles_per_s: float
    times_reference: float | None
    equal: bool


FAST, FAST_WHOLE, REFERENCE = "fast", "fast, no skipping", "reference"
CASES = (
    EngineCase("gpt2_small, 1 layer, 2 tokens", ("model.layers=1",), 2, 9, True),
    EngineCase("gpt2_small, 128 tokens", (), 128, 3, False),
)
QUICK_CASES = (
    EngineCase("gpt2_small, 1 layer, small vocabulary, 1 token", ("model.layers=1", "model.vocabulary=512"), 1, 3, True),
)


def bench_engines(cases: tuple[EngineCase, ...] = CASES) -> Iterator[EngineFigures]:
    """Figures of every engine on every case. Programs are lowered, and kernels loaded, before the clock starts."""
    device = load_hardware(HARDWARE)
    for case in cases:
        yield from _bench_case(device, case)


def _bench_case(device: Device, case: EngineCase) -> Iterator[EngineFigures]:
    programs = _programs(device, case)
    FastEngine(device).run(iter(programs[:1]))
    engines: dict[str, tuple[MakeEngine, int]] = {
        FAST: (partial(FastEngine, device), case.repeats),
        FAST_WHOLE: (partial(FastEngine, device, skip=False), case.repeats),
    }
    if case.reference:
        engines = {REFERENCE: (partial(ReferenceEngine, device), 1), **engines}
    runs = {name: _repeat(make, programs, repeats) for name, (make, repeats) in engines.items()}
    first, _ = next(iter(runs.values()))
    for name, (outcome, elapsed) in runs.items():
        commands, channel_cycles = int(outcome.counts.sum()), outcome.dram_cycles * len(outcome.counts)
        yield EngineFigures(
            case=case.name,
            engine=name,
            repeats=engines[name][1],
            wall_s=elapsed.wall_s,
            cpu_s=elapsed.cpu_s,
            commands=commands,
            commands_per_s=commands / elapsed.wall_s,
            channel_cycles=channel_cycles,
            channel_cycles_per_s=channel_cycles / elapsed.wall_s,
            times_reference=runs[REFERENCE][1].wall_s / elapsed.wall_s if case.reference else None,
            equal=same(first, outcome),
        )


def _repeat(make: MakeEngine, programs: list[StepProgram], repeats: int) -> tuple[EngineOutcome, Elapsed]:
    runs = [timed(lambda: make().run(iter(programs))) for _ in range(repeats)]
    return runs[0][0], median([elapsed for _, elapsed in runs])


def _programs(device: Device, case: EngineCase) -> list[StepProgram]:
    spec = load_workload("gpt2_small", case.settings)
    model = DecoderModel(spec.model)
    return list(step_programs(Lowering(device, model, place(device, model)), make_request(spec, case.tokens, 1)))


def same(one: EngineOutcome, other: EngineOutcome) -> bool:
    """True if two outcomes agree in all but the host's time and the bursts that were really simulated."""
    arrays = ("step_ps", "causes", "open_cycles", "counts", "refresh_counts")
    scalars = ("dram_cycles", "critical_ps", "asic_busy_ps", "asic_adds", "asic_muls", "link_bytes")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays) and all(
        getattr(one, name) == getattr(other, name) for name in scalars
    )
