"""What terms of Taylor series and Newton steps buy, and what they cost in cycles and energy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pimsim.asic import functions
from pimsim.asic.activations import activation
from pimsim.asic.numerics import approximate
from pimsim.asic.work import Stage, cycles
from pimsim.config.device import Device
from pimsim.config.hardware import AsicSpec
from pimsim.config.load import load_hardware, load_workload
from pimsim.energy.ledger import energy_ledger
from pimsim.engine.fast import FastEngine
from pimsim.functional.compare import errors_on
from pimsim.functional.generate import Generation, generate
from pimsim.functional.weights import RandomWeights
from pimsim.mapping.placement import place
from pimsim.program.lower import Lowering
from pimsim.units import ps_to_s
from pimsim.workload.model import DecoderModel

SWEEPS = {
    "exp": ("asic.exp_taylor_terms", range(2, 9)),
    "gelu": ("asic.gelu_taylor_terms", range(2, 9)),
    "reciprocal": ("asic.reciprocal_newton_steps", range(5)),
    "rsqrt": ("asic.rsqrt_newton_steps", range(5)),
}
ACCURACY_WORKLOAD, TOKENS, PROMPT, SEED = "tiny", 32, [1], 0
COST_WORKLOAD, COST_CONTEXT = "gpt2_small", 1024


@dataclass(frozen=True)
class Cost:
    """One token: time, energy (nominal), and ASIC cycles of the instruction that the swept function is part of."""

    token_s: float
    token_j: float
    instruction_cycles: int


@dataclass(frozen=True)
class Point:
    """One number of terms or steps, everything else as the hardware file says.

    Errors of the function are over the inputs it has in the run with exact functions; agreement, logits error and KL divergence
    are the whole model's with all the ASIC's approximations, against float32.
    """

    function: str
    parameter: str
    value: int
    chosen: bool
    max_abs_error: float
    max_rel_error: float
    token_agreement: float
    logits_max_error: float
    kl_divergence_mean: float
    cost: Cost


def exact_run(hardware: str) -> Generation:
    """The run that has the functions' input ranges, with their exact values."""
    return _run(load_hardware(hardware), "exact")


def sweep(hardware: str, ranges: Generation, which: Iterable[str] = tuple(SWEEPS)) -> list[Point]:
    """Points of all values of the functions ``which``, in order; ``ranges`` is the exact run on the same hardware."""
    return [point(hardware, ranges, function, value) for function in which for value in SWEEPS[function][1]]


def point(hardware: str, ranges: Generation, function: str, value: int) -> Point:
    """Errors and costs with one function's terms or steps set to ``value``."""
    parameter = SWEEPS[function][0]
    device = load_hardware(hardware, [f"{parameter}={value}"])
    errors = function_error(device, ranges, function)
    whole = _run(device, "asic").references["float32"]
    return Point(
        function=function,
        parameter=parameter,
        value=value,
        chosen=device.asic == load_hardware(hardware).asic,
        max_abs_error=errors["max_abs_error"],
        max_rel_error=errors["max_rel_error"],
        token_agreement=whole["token_agreement"],
        logits_max_error=whole["logits_max_error"],
        kl_divergence_mean=whole["kl_divergence_mean"],
        cost=cost(device, function),
    )


def function_error(device: Device, ranges: Generation, function: str) -> dict[str, float]:
    """Errors of the device's ``function`` over the inputs it had in the run ``ranges``."""
    found = ranges.functions[function]
    return errors_on(getattr(approximate(device.asic), function), function, found["input_min"], found["input_max"])


def cost(device: Device, function: str) -> Cost:
    """What a token of gpt2_small at a context of 1024 costs on ``device``."""
    model = DecoderModel(load_workload(COST_WORKLOAD).model)
    lowering = Lowering(device, model, place(device, model))
    outcome = FastEngine(device).run(iter([lowering.step(COST_CONTEXT, True)]))
    work = cycles(_instruction(model, function, device.asic), device.asic)
    return Cost(ps_to_s(outcome.total_ps), energy_ledger(device, outcome).totals_j["nominal"], work)


def _instruction(model: DecoderModel, function: str, asic: AsicSpec) -> list[Stage]:
    ops = {op.name: op for section in model.sections() for op in section.ops}
    if function == "gelu":
        return activation("gelu", ops["gelu"].shape.width, asic)
    if function == "rsqrt":
        return functions.norm(ops["ln1"].shape, 1, asic, centred=True)
    return functions.attention_softmax(ops["softmax"].shape, [COST_CONTEXT], asic)


def _run(device: Device, numerics: str) -> Generation:
    return generate(device, load_workload(ACCURACY_WORKLOAD), RandomWeights(SEED), PROMPT, TOKENS, numerics)
