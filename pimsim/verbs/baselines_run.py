"""``pimsim baselines run``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from pimsim.baselines.decoded import run_rows
from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.run import stack_run
from pimsim.baselines.stacks import FRAMEWORKS, STACKS
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.decoding.load import load_strategy
from pimsim.errors import ConfigError, nearest
from pimsim.verbs.options import Json, Prompt, Quiet, Tokens, device_and_workload
from pimsim.verbs.output import Output
from pimsim.workload.model import DecoderModel, make_request

IDEAL = "ideal"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("run")(run)


def run(
    names: list[str] | None = typer.Argument(None, metavar="DEVICE WORKLOAD", help="shipped names or paths"),
    stack: str = typer.Option(IDEAL, help="ideal, eager, compiled, fused, kernels, or a framework"),
    tokens: Tokens = None,
    prompt: Prompt = None,
    devices: int = typer.Option(1, min=1, help="GPUs the weights are split over"),
    batch: int | None = typer.Option(None, "--batch", min=1, metavar="N", help="sequences decoded together"),
    decoding: str | None = typer.Option(None, "--decoding", metavar="FILE", help="YAML file of a decoding strategy"),
    json_file: Json = None,
    quiet: Quiet = False,
    old_device: str | None = typer.Option(None, "--device", hidden=True),
    old_workload: str | None = typer.Option(None, "--workload", hidden=True),
) -> None:
    """Latency and energy of a request on a device: the ideal roofline, or a software stack."""
    output = Output(json_file, quiet)
    device, workload = device_and_workload("run", names or [], old_device, old_workload)
    baseline, spec = load_baseline(device), load_workload(workload)
    request, model = make_request(spec, tokens, prompt), DecoderModel(spec.model)
    allowed = [IDEAL, *STACKS, *FRAMEWORKS]
    if stack not in allowed:
        raise ConfigError(f"unknown software stack '{stack}'{nearest(stack, allowed)}; allowed: {', '.join(allowed)}")
    if batch is not None or decoding is not None:
        if devices > 1:
            raise ConfigError(f"--devices {devices}: batches and strategies are modelled on one device")
        strategy = None if decoding is None else load_strategy(decoding)
        found = run_rows(baseline, model, make_request(spec, tokens, prompt, batch), stack, strategy)
        output.console.print("\n".join(_row_lines(spec.name, found)), markup=False)
        output.document({"schema_version": 1, "workload": spec.name, **found})
        return
    if stack == IDEAL:
        if devices > 1:
            raise ConfigError(f"--devices {devices}: the ideal roofline is that of one device")
        result = roofline_run(baseline, model, request)
    else:
        result = stack_run(baseline, model, request, stack, devices)
    energy, say = result.energy_j, output.console.print
    say(f"{result.device}, {spec.name}, {result.dtype}, {result.label}: {result.tokens} tokens after {request.prompt_tokens}")
    say(f"latency_s = {result.latency_s:.6g}")
    say(f"prompt_s = {result.prompt_s:.6g}")
    say(f"token_latency_s = {result.token_latency_s:.6g}")
    say(f"energy_j ({result.energy_scope}) = {energy.low:.4g} / {energy.nominal:.4g} / {energy.high:.4g}")
    if result.error_band:
        say(f"measured / predicted in validation: {result.error_band[0]:.2f} .. {result.error_band[1]:.2f}")
    output.document({"schema_version": 1, "workload": spec.name, **asdict(result), "energy_j": energy.model_dump()})


def _row_lines(workload: str, found: dict[str, Any]) -> list[str]:
    energy = found["energy_j"]
    lines = [
        f"{found['device']}, {workload}, {found['stack']}: batch {found['batch']}, {found['generated_tokens']} tokens after "
        f"{found['prompt_tokens']}",
        f"latency_s = {found['latency_s']:.6g}",
        f"ttft_s = {found['ttft_s']:.6g}",
        f"tokens_per_s = {found['tokens_per_s']:.6g}",
        f"energy_j ({found['energy_scope']}) = {energy['low']:.4g} / {energy['nominal']:.4g} / {energy['high']:.4g}",
        "phases: " + ", ".join(f"{phase} {seconds:.4g} s" for phase, seconds in found["breakdown_s"].items()),
    ]
    if "decoding" in found:
        lines.append(f"decoding {found['decoding']['strategy']}: {found['decoding']['tokens_per_step']:.4g} tokens a step")
    return lines
