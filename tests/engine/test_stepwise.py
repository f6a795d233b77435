"""Engines driven step by step: with pauses, with two resident models in turn, and with kinds of layer that alternate."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimsim.config.load import load_hardware, load_workload
from pimsim.engine.fast import FastEngine
from pimsim.engine.reference import ReferenceEngine
from pimsim.mapping.placement import place
from pimsim.program.instruction import Section, StepProgram
from pimsim.program.lower import Lowering
from pimsim.workload.model import DecoderModel
from pimsim.workload.step import decoding_step
from tests.engine.agreement import check_agreement, differences
from tests.programs import random_device, random_programs

TINY = ("model.layers=2", "model.d_model=64", "model.heads=4", "model.d_ff=128", "model.vocabulary=200", "model.max_context=64")
SMALL_DEVICE = ("dram.channels=2", "dram.timing.tREFI_ns=700")


def lowered(device, *settings: str) -> Lowering:
    model = DecoderModel(load_workload("gpt2_small", [*TINY, *settings]).model)
    return Lowering(device, model, place(device, model))


@given(st.integers(0, 1 << 40))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_pauses_mean_the_same_in_all_engines(seed: int) -> None:
    rng = random.Random(seed)
    device = random_device(rng)
    programs = random_programs(device, rng) * 2
    pauses = [rng.choice((0, 1, 999, 40_000, 3_000_000, 30_000_000)) for _ in programs]

    def driven(engine: FastEngine | ReferenceEngine):
        times = []
        for program, pause in zip(programs, pauses, strict=True):
            times.append(engine.step(program))
            engine.idle_until(engine.now_ps + pause)
        return engine.now_ps, engine.finish(times)

    specified_end, specified = driven(ReferenceEngine(device))
    for engine in (FastEngine(device), FastEngine(device, skip=False)):
        end, found = driven(engine)
        assert end == specified_end == specified.total_ps + sum(pauses)
        assert differences(found, specified) == []


def test_refresh_goes_on_in_a_pause() -> None:
    device = load_hardware("pim_gpt", SMALL_DEVICE)
    engine = FastEngine(device)
    times = [engine.step(lowered(device).step(1, True))]
    engine.idle_until(1_000_000_000)
    outcome = engine.finish(times)
    assert outcome.refresh_counts.sum(1).tolist() == [outcome.dram_cycles // device.timing["nREFI"]] * 2
    with pytest.raises(ValueError, match="is at 1000000000 ps already"):
        engine.idle_until(5)


@pytest.mark.parametrize("engine", [FastEngine, ReferenceEngine])
def test_a_step_takes_as_long_alone_as_in_a_run(engine) -> None:
    device = load_hardware("pim_gpt", SMALL_DEVICE)
    lowering = lowered(device)
    programs = [lowering.step(context, context % 2 == 0) for context in (1, 2, 3, 4)]
    stepwise = engine(device)
    times = [stepwise.step(program) for program in programs]
    assert differences(stepwise.finish(times), engine(device).run(iter(programs))) == []


def test_two_resident_models_in_turn() -> None:
    device = load_hardware("pim_gpt", SMALL_DEVICE)
    one, other = lowered(device), lowered(device, "model.layers=1", "model.d_model=128", "model.d_ff=64")

    def programs() -> Iterator[StepProgram]:
        for context in (1, 2, 3):
            yield one.step(context, True)
            yield other.step(context, context > 1)

    assert check_agreement(device, list(programs())) > 1000


@pytest.mark.parametrize("issue", ["serial", "overlap"])
def test_two_kinds_of_layer_in_turn(issue: str) -> None:
    """Layers 0, 2 and 4 are of one kind, 1 and 3 of another, which has a wider feed-forward."""
    device = load_hardware("pim_gpt", [*SMALL_DEVICE, f"controller.issue={issue}"])
    one, other = (lowered(device, f"model.d_ff={width}").step(3, True).sections for width in (128, 192))
    kinds = (one[1].instructions, other[1].instructions)
    inside = [Section(kinds[layer % 2], (layer,)) for layer in range(5)]
    program = StepProgram(decoding_step(2), (one[0], *inside, one[2]))
    check_agreement(device, [program, program])


def test_a_step_of_a_small_model_costs_little() -> None:
    """Not a benchmark: a step that is lowered already must not cost what simulating it costs."""
    device = load_hardware("pim_gpt", SMALL_DEVICE)
    lowering, engine = lowered(device), FastEngine(device)
    program = lowering.step(20, True)
    engine.step(program)
    best = min(_seconds(engine, program) for _ in range(50))
    assert best < 0.003


def _seconds(engine: FastEngine, program: StepProgram) -> float:
    began = time.perf_counter()
    engine.step(program)
    return time.perf_counter() - began
