"""Shapes, devices and a decoding loop that the tests of the functional run share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from pimsim.asic.numerics import exact
from pimsim.config.device import Device
from pimsim.config.load import load_hardware, load_workload
from pimsim.config.workload import WorkloadSpec
from pimsim.engine.fast import FastEngine
from pimsim.engine.outcome import EngineOutcome
from pimsim.functional.executor import Executor
from pimsim.functional.fill import fill
from pimsim.functional.machine import PimMachine
from pimsim.functional.oracle import Gpt2Oracle
from pimsim.functional.weights import RandomWeights
from pimsim.mapping.placement import place
from pimsim.program.instruction import StepProgram
from pimsim.program.lower import Lowering
from pimsim.workload.model import DecoderModel, Request

SHAPES = {
    "tiny": (),
    "odd": ("model.d_model=80", "model.heads=5", "model.d_ff=320"),
    "chunked": ("model.layers=1", "model.d_model=1600", "model.heads=25", "model.d_ff=6400"),
    "narrow_head": ("model.d_model=72", "model.heads=3", "model.d_ff=200", "model.vocabulary=77"),
}
SEED = 11
PROMPT = (5, 17)
Change = Callable[[StepProgram], StepProgram]


@cache
def device(*settings: str) -> Device:
    """The default accelerator with overrides."""
    return load_hardware("pim_gpt", settings)


@cache
def workload(shape: str, *settings: str) -> WorkloadSpec:
    """One of the shapes, as a change of tiny."""
    return load_workload("tiny", (*SHAPES[shape], *settings))


@dataclass(frozen=True, eq=False)
class Decoded:
    """Greedy tokens, their logits, commands executed, and the timing of the same programs if it was asked for."""

    tokens: list[int]
    logits: np.ndarray
    executed: np.ndarray
    outcome: EngineOutcome | None


def decode(
    on: Device, spec: WorkloadSpec, tokens: int, change: Change | None = None, timed_with: list[int] | None = None
) -> Decoded:
    """Generate ``tokens`` tokens with exact functions; ``change`` is applied to every step's program.

    With ``timed_with`` those tokens are fed whatever the logits say, and the same programs are timed.
    """
    model = DecoderModel(spec.model)
    placement = place(on, model)
    machine = PimMachine(on, placement.rows_used)
    fill(machine, model, placement, RandomWeights(SEED))
    executor, lowering = Executor(on, model, placement, machine, exact()), Lowering(on, model, placement)
    request, fed, logits = Request(len(PROMPT), tokens), list(PROMPT), []

    def programs() -> Iterator[StepProgram]:
        for step in range(request.steps):
            program = lowering.step(step + 1, request.has_head(step), fed[step])
            program = change(program) if change else program
            output = executor.step(program)
            if output.token is not None:
                fed.append(timed_with[len(logits)] if timed_with else output.token)
                logits.append(output.logits[-1])
            yield program

    steps = programs()
    outcome = FastEngine(on).run(steps) if timed_with else None
    deque(steps, maxlen=0)
    return Decoded(fed[len(PROMPT) :], np.array(logits), machine.executed, outcome)


@cache
def expected(shape: str, tokens: int, *settings: str) -> tuple[list[int], np.ndarray]:
    """Greedy tokens and logits of the independent model, decoding on its own."""
    spec = workload(shape, *settings).model
    model, weights = DecoderModel(spec), RandomWeights(SEED)
    tensors = {tensor.name: tensor for tensor in model.tensors}
    oracle = Gpt2Oracle(
        lambda name: weights.tensor(tensors[name]), model.spec.layers, model.spec.mixer.heads, model.spec.head.tied, bf16=True
    )
    fed, logits = list(PROMPT), []
    for position in range(len(PROMPT) + tokens - 1):
        found = oracle.step(fed[position])
        if position >= len(PROMPT) - 1:
            fed.append(int(np.argmax(found)))
            logits.append(found)
    return fed[len(PROMPT) :], np.array(logits)
