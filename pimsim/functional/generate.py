"""Generate tokens: one run that computes every number and times the very programs that computed them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pimsim.asic.numerics import APPROXIMATE, NUMERICS, Numerics, approximate, exact
from pimsim.config.decoder.mixers import AttentionSpec
from pimsim.config.device import Device
from pimsim.config.workload import WorkloadSpec
from pimsim.engine.fast import FastEngine
from pimsim.engine.outcome import EngineOutcome
from pimsim.errors import ConfigError, RequestError, nearest
from pimsim.functional.bf16 import FloatArray
from pimsim.functional.compare import Ranges, difference, function_errors, summary
from pimsim.functional.executor import Executor
from pimsim.functional.fill import fill
from pimsim.functional.machine import PimMachine
from pimsim.functional.oracle import Gpt2Oracle, is_gpt2
from pimsim.functional.weights import Weights
from pimsim.program.instruction import StepProgram
from pimsim.program.lower import Lowering
from pimsim.result.assemble import assemble
from pimsim.result.run_result import RunResult
from pimsim.simulation import lowering_for
from pimsim.workload.feeding import count_steps, feedings, step_of
from pimsim.workload.model import DecoderModel, Request, make_request

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class Generation:
    """Tokens and logits of the generating steps, the timed result, and what it is compared with.

    ``references``: by name, the summary of differences to a model of the same tokens (see ``compare.summary``).
    ``functions``: errors of the ASIC's approximations over the inputs of this run. ``counts`` and ``timed_counts``:
    (channels, commands) executed on numbers, and issued by the engine without its refreshes.
    """

    result: RunResult
    numerics: str
    weights: dict[str, object]
    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    logits: FloatArray
    counts: np.ndarray
    timed_counts: np.ndarray
    references: dict[str, dict[str, Any]]
    functions: dict[str, dict[str, float]]
    command_names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON file; without the logits themselves."""
        return {
            "schema_version": SCHEMA_VERSION,
            "numerics": self.numerics,
            "weights": self.weights,
            "prompt_ids": list(self.prompt_ids),
            "token_ids": list(self.token_ids),
            "dram_cycles": self.result.dram_cycles,
            "latency_s": self.result.latency_s,
            "energy_j": self.result.energy_j,
            "references": self.references,
            "asic_functions": self.functions,
            "command_counts": {
                "functional": self._named(self.counts),
                "timed": self._named(self.timed_counts),
                "equal": bool(np.array_equal(self.counts, self.timed_counts)),
            },
            "result": self.result.to_dict(),
        }

    def _named(self, counts: np.ndarray) -> dict[str, int]:
        return {name: int(n) for name, n in zip(self.command_names, counts.sum(0), strict=True) if n}


@dataclass
class _Decoding:
    """A request while it is decoded: each step is executed before the next is lowered, and handed to the engine."""

    lowering: Lowering
    executor: Executor
    request: Request
    fed: list[int]
    logits: list[FloatArray] = field(default_factory=list)
    progress: Callable[[int, int], None] | None = None

    def programs(self) -> Iterator[StepProgram]:
        total = count_steps(self.request)
        for step, together in enumerate(feedings(self.request)):
            program = self.lowering.program(step_of(together, {0: self.fed}))
            output = self.executor.step(program)
            if output.token is not None:
                self.fed.append(output.token)
                self.logits.append(output.logits[-1])
            if self.progress:
                self.progress(step + 1, total)
            yield program


def generate(
    device: Device,
    workload: WorkloadSpec,
    weights: Weights,
    prompt_ids: list[int],
    tokens: int | None = None,
    numerics: str = "exact",
    *,
    references: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Generation:
    """Generate ``tokens`` tokens greedily after ``prompt_ids``, on numbers and on time.

    ``numerics``: ``exact`` (float32 library functions) or ``asic`` (its Taylor series and Newton steps). With
    ``references``, NumPy models decode the same tokens: ``float32`` with the weights as they were given, and ``bf16`` with weights
    and activations rounded as the device rounds them. Raises PimsimError for input that is wrong.
    """
    began = time.perf_counter()
    model = DecoderModel(workload.model)
    request = _checked_request(workload, prompt_ids, tokens)
    ranges = Ranges()
    lowering = lowering_for(device, model, request)
    placement = lowering.placement
    machine = PimMachine(device, placement.rows_used)
    fill(machine, model, placement, weights)
    executor = Executor(device, model, placement, machine, ranges.watch(numerics_named(numerics, device)))
    decoding = _Decoding(lowering, executor, request, list(prompt_ids), progress=progress)
    outcome = FastEngine(device).run(decoding.programs())
    logits = np.array(decoding.logits)
    return Generation(
        result=assemble(device, workload, request, placement, outcome, "fast", time.perf_counter() - began),
        numerics=numerics,
        weights=weights.describe(),
        prompt_ids=tuple(prompt_ids),
        token_ids=tuple(decoding.fed[len(prompt_ids) :]),
        logits=logits,
        counts=machine.executed,
        timed_counts=issued(outcome),
        references=_references(model, weights, decoding.fed, request, logits) if references else {},
        functions=function_errors(approximate(device.asic), ranges),
        command_names=tuple(device.standard.command_names),
    )


def issued(outcome: EngineOutcome) -> np.ndarray:
    """(channels, commands) that the programs asked for: what was issued less the refreshes and what they needed."""
    return outcome.counts - outcome.refresh_counts


def numerics_named(name: str, device: Device) -> Numerics:
    """The ASIC's functions by name. Raises ConfigError with the nearest name."""
    if name not in NUMERICS:
        raise ConfigError(f"numerics: unknown '{name}'{nearest(name, NUMERICS)}; allowed: {', '.join(NUMERICS)}")
    return approximate(device.asic) if name == APPROXIMATE else exact()


def _checked_request(workload: WorkloadSpec, prompt_ids: list[int], tokens: int | None) -> Request:
    for token in prompt_ids:
        if not 0 <= token < workload.model.vocabulary:
            raise RequestError(
                f"{workload.name}: prompt id {token} is not in the vocabulary: 0 .. {workload.model.vocabulary - 1}"
            )
    return make_request(workload, tokens, len(prompt_ids))


def _references(
    model: DecoderModel, weights: Weights, fed: list[int], request: Request, logits: FloatArray
) -> dict[str, dict[str, Any]]:
    tensors, spec = {tensor.name: tensor for tensor in model.tensors}, model.spec
    if not isinstance(spec.mixer, AttentionSpec) or not is_gpt2(tensors, spec.layers, spec.head.tied):
        return {}
    heads = spec.mixer.heads
    found = {}
    for name, bf16 in (("float32", False), ("bf16", True)):
        oracle = Gpt2Oracle(lambda key: weights.tensor(tensors[key]), spec.layers, heads, spec.head.tied, bf16)
        expected = [oracle.step(token) for token in fed[: request.steps]][request.prompt_tokens - 1 :]
        found[name] = summary([difference(*pair) for pair in zip(logits, expected, strict=True)])
    return found
