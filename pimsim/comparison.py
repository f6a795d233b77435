"""One request on PIM devices and on baseline devices, side by side; every speedup names what it is against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pimsim.baselines.result import BaselineResult
from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.run import stack_run
from pimsim.config.baseline import Baseline, load_baseline
from pimsim.config.load import load_hardware, load_workload, split_overrides
from pimsim.errors import ConfigError
from pimsim.result.check import check_figures
from pimsim.result.run_result import RunResult
from pimsim.simulation import simulate
from pimsim.workload.model import DecoderModel, Request, make_request

IDEAL = "ideal roofline"


@dataclass(frozen=True)
class Comparison:
    """One workload: the simulated run, and a baseline's figures for the same request.

    ``speedup`` is the baseline's latency over the simulated one's, ``energy_gain`` the same of (nominal) energy.
    ``baseline_label`` says how the baseline's figure was found: an ideal bound, or a modelled software stack.
    """

    run: RunResult
    baseline: str
    baseline_label: str
    baseline_latency_s: float
    baseline_energy_j: dict[str, float]

    @property
    def speedup(self) -> float:
        """Baseline latency over simulated latency."""
        return self.baseline_latency_s / self.run.latency_s

    @property
    def energy_gain(self) -> float:
        """Baseline energy over simulated energy, nominal constants."""
        return self.baseline_energy_j["nominal"] / self.run.energy_j["nominal"]

    def to_dict(self) -> dict[str, Any]:
        """Flat record of the comparison."""
        return {
            "hardware": self.run.hardware,
            "workload": self.run.workload,
            "prompt_tokens": self.run.prompt_tokens,
            "generated_tokens": self.run.generated_tokens,
            "latency_s": self.run.latency_s,
            "energy_j": self.run.energy_j,
            "baseline": self.baseline,
            "baseline_label": self.baseline_label,
            "baseline_latency_s": self.baseline_latency_s,
            "baseline_energy_j": self.baseline_energy_j,
            "speedup": self.speedup,
            "energy_gain": self.energy_gain,
        }


def compare(
    hardware: str | Path | Sequence[str | Path],
    workloads: Sequence[str],
    baselines: Sequence[str],
    tokens: int | None = None,
    prompt: int | None = None,
    *,
    settings: Iterable[str] = (),
    stack: str | None = None,
) -> list[Comparison]:
    """Simulate each workload on ``hardware`` (one device, or several) and set each baseline beside it.

    Without ``stack`` a baseline is its ideal roofline; with one (``eager``, ``compiled``, ``fused``) it is given both as
    ideal roofline and with that software stack. Raises PimsimError for anything wrong with the input, before simulating.
    """
    if not workloads or not baselines:
        raise ConfigError("compare needs at least one workload and one --baseline")
    settings = list(settings)
    devices = [load_baseline(name) for name in baselines]
    hardware_settings, workload_settings = split_overrides(settings)
    specs = [load_workload(name, workload_settings) for name in workloads]
    requests = [make_request(spec, tokens, prompt) for spec in specs]
    devices_named = [hardware] if isinstance(hardware, str | Path) else list(hardware)
    for device_named in devices_named:
        load_hardware(device_named, hardware_settings)
    found = []
    for device_named in devices_named:
        for name, spec, request in zip(workloads, specs, requests, strict=True):
            run = simulate(device_named, name, tokens, prompt, settings=settings)
            for baseline_name, device in zip(baselines, devices, strict=True):
                outcomes = _outcomes(device, DecoderModel(spec.model), request, stack)
                found += [Comparison(run, baseline_name, one.label, one.latency_s, one.energy_j.model_dump()) for one in outcomes]
    return found


def _outcomes(device: Baseline, model: DecoderModel, request: Request, stack: str | None) -> list[BaselineResult]:
    ideal = roofline_run(device, model, request)
    found = [ideal] if stack is None else [ideal, stack_run(device, model, request, stack)]
    for one in found:
        check_figures({"latency_s": one.latency_s, "energy_j": one.energy_j.model_dump()}, f"{device.name}, {one.label}")
    return found
