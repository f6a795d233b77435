"""Numbers of a device for given tokens: the logits after each, computed by the commands of its programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pimsim.asic.numerics import Numerics
from pimsim.config.device import Device
from pimsim.functional.bf16 import FloatArray
from pimsim.functional.executor import Executor, StepOutput
from pimsim.functional.fill import fill
from pimsim.functional.machine import PimMachine
from pimsim.functional.weights import Weights
from pimsim.program.instruction import StepProgram
from pimsim.program.lower import Lowering
from pimsim.simulation import lowering_for
from pimsim.workload.model import DecoderModel, Request
from pimsim.workload.step import Row, Step


@dataclass
class DeviceRun:
    """A model with its numbers on a device, fed step by step; ``programs`` are those that it executed."""

    lowering: Lowering
    executor: Executor
    programs: list[StepProgram] = field(default_factory=list)

    def feed(self, step: Step) -> StepOutput:
        """Lower and execute one step."""
        program = self.lowering.program(step)
        self.programs.append(program)
        return self.executor.step(program)

    def encode(self, tokens: Sequence[int]) -> None:
        """Run the encoder over its input, all tokens at once."""
        self.feed(Step(tuple(Row(0, position, token) for position, token in enumerate(tokens)), (), "encoder"))

    def logits(self, tokens: Sequence[int], chunk: int = 1) -> FloatArray:
        """(tokens, vocabulary): the logits after every token, fed ``chunk`` at a time."""
        return np.concatenate([self.feed(step).logits for step in _chunks(tokens, chunk)])


def device_run(device: Device, model: DecoderModel, weights: Weights, numerics: Numerics, request: Request) -> DeviceRun:
    """Place a model for a request and put its numbers where the placement says."""
    lowering = lowering_for(device, model, request)
    machine = PimMachine(device, lowering.placement.rows_used)
    fill(machine, model, lowering.placement, weights)
    executor = Executor(device, model, lowering.placement, machine, numerics)
    executor.least_length = request.prompt_tokens + request.generate_tokens
    return DeviceRun(lowering, executor)


def has_experts(model: DecoderModel) -> bool:
    """Whether numbers choose what runs: then a step feeds one row, for what it runs is known only after its router."""
    return any(op.kind == "route" for section in model.sections() for op in section.ops)


def _chunks(tokens: Sequence[int], size: int) -> Iterator[Step]:
    for first in range(0, len(tokens), size):
        part = tokens[first : first + size]
        rows = tuple(Row(0, first + k, token) for k, token in enumerate(part))
        yield Step(rows, tuple(range(len(rows))))
