"""Run a request on a baseline device under a software stack: calibrated time, power while busy and while waiting."""

from __future__ import annotations

import numpy as np

from pimsim.baselines.capacity import check_capacity
from pimsim.baselines.result import BaselineResult, device_energy_j
from pimsim.baselines.stacks import EAGER, framework_of
from pimsim.baselines.steptime import Run, features, prompt_features, step_time
from pimsim.baselines.validate import error_band, shipped_calibration
from pimsim.config.baseline import BYTES_PER_DTYPE, Baseline
from pimsim.config.model import Band
from pimsim.errors import ConfigError
from pimsim.workload.model import DecoderModel, Request


def stack_run(baseline: Baseline, model: DecoderModel, request: Request, stack: str, devices: int = 1) -> BaselineResult:
    """Run ``request`` under a stack (``eager``, ``compiled``, ``fused``, ``kernels``) or a framework (``vllm`` ...).

    The prompt is one batched pass; each further token is a step whose context grows by one, summed exactly. Weights and
    K/V have the device's dtype and are split over ``devices`` GPUs. ``error_band`` is the range of measured / predicted in
    the stack's validation, and widens the energy. Raises CapacityError if they do not fit, ConfigError for an unknown stack.
    """
    framework = framework_of(stack)
    if devices > 1 and framework.launch == EAGER:
        raise ConfigError(f"stack {stack} on {devices} devices: eager execution over several devices is not modelled")
    element_bytes = BYTES_PER_DTYPE[baseline.spec.dtype]
    check_capacity(baseline, model, request, element_bytes, element_bytes, devices)
    run, parameters = (
        Run(baseline, model, framework, element_bytes, devices, encoder_tokens=request.encoder_tokens),
        shipped_calibration(),
    )
    prompt = step_time(prompt_features(run, request.prompt_tokens), parameters)
    contexts = np.arange(request.prompt_tokens + 1, request.steps + 1, dtype=np.float64)
    steps = step_time(features(run, contexts), parameters)
    prompt_s, latency_s = float(prompt.step_s[0]), float(prompt.step_s[0] + steps.step_s.sum())
    busy_s = float(prompt.device_s[0] + steps.device_s.sum())
    band = error_band(framework.stack)
    return BaselineResult(
        label=f"{framework.stack} ({framework.name})",
        device=baseline.name if devices == 1 else f"{devices} x {baseline.name}",
        dtype=baseline.spec.dtype,
        tokens=request.generate_tokens,
        latency_s=latency_s,
        prompt_s=prompt_s,
        token_latency_s=float(steps.step_s.mean()) if contexts.size else prompt_s,
        energy_j=_widened(device_energy_j(baseline, latency_s, busy_s), devices, band),
        energy_scope=baseline.spec.power.scope,
        error_band=band,
    )


def _widened(energy_j: Band, devices: int, band: tuple[float, float] | None) -> Band:
    low, high = band or (1.0, 1.0)
    return Band(low=devices * energy_j.low * low, nominal=devices * energy_j.nominal, high=devices * energy_j.high * high)
