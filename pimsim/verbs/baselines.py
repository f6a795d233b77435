"""``pimsim baselines list | validate | run | measure``: GPUs and CPUs to compare with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from pimsim.baselines.measure import append_row, measure_decode
from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.run import stack_run
from pimsim.baselines.stacks import FRAMEWORKS, STACKS
from pimsim.baselines.validate import (
    ValidatedRow,
    leave_one_out,
    leave_source_out,
    shipped_calibration,
    stack_errors,
    validate_table,
)
from pimsim.config.baseline import baseline_names, load_baseline
from pimsim.config.load import load_workload
from pimsim.errors import ConfigError, nearest
from pimsim.result.write import check_writable, write_text
from pimsim.workload.model import DecoderModel, make_request

IDEAL = "ideal"


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to ``app``."""
    group = typer.Typer(help="GPUs and CPUs to compare with.", no_args_is_help=True)
    group.command("list")(list_devices)
    group.command("validate")(validate)
    group.command("run")(run)
    group.command("measure")(measure)
    app.add_typer(group, name="baselines")


def list_devices() -> None:
    """List the shipped devices."""
    table = Table("name", "device", "class", "dtype", "GB/s", "GB", "TFLOP/s", "TDP W", "year")
    for name in baseline_names():
        spec = load_baseline(name).spec
        peak = spec.compute.fp16_bf16_tflops or spec.compute.fp32_tflops
        numbers = (spec.memory.bandwidth_gb_per_s, spec.memory.capacity_gb, peak, spec.power.tdp_w)
        shown = [f"{number:g}" for number in numbers]
        table.add_row(name, spec.description, spec.device_class, spec.dtype, *shown, str(spec.launch_year))
    _console().print(table)


def validate(
    measurements: Path | None = typer.Option(None, help="CSV with the columns of the shipped table; default: the shipped rows"),
    json_file: Path | None = typer.Option(None, "--json", help="write rows and errors per stack to this file"),
) -> None:
    """Print predicted against measured decode times; shipped rows are predicted by a fit that leaves each one out."""
    check_writable(json_file)
    rows = leave_one_out() if measurements is None else validate_table(measurements)
    report: dict[str, Any] = {
        "parameters": shipped_calibration(),
        "rows": [r.as_dict() for r in rows],
        "stacks": stack_errors(rows),
    }
    report["method"] = "leave-one-out" if measurements is None else "shipped calibration"
    if measurements is None:
        report["stacks_leaving_source_out"] = stack_errors(leave_source_out())
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=2, allow_nan=False) + "\n")
    _print_rows(rows)
    _print_errors(report["method"], report["stacks"])
    if measurements is None:
        _print_errors("leaving the row's whole source out", report["stacks_leaving_source_out"])


def run(
    device: str = typer.Option(help="shipped device or path"),
    workload: str = typer.Option(help="shipped workload or path"),
    stack: str = typer.Option(IDEAL, help="ideal, eager, compiled, fused, kernels, or a framework"),
    tokens: int | None = typer.Option(None, help="tokens to generate"),
    prompt: int | None = typer.Option(None, help="tokens in the prompt"),
    devices: int = typer.Option(1, min=1, help="GPUs the weights are split over"),
) -> None:
    """Latency and energy of a request on a device: the ideal roofline, or a software stack."""
    baseline, spec = load_baseline(device), load_workload(workload)
    request, model = make_request(spec, tokens, prompt), DecoderModel(spec.model)
    allowed = [IDEAL, *STACKS, *FRAMEWORKS]
    if stack not in allowed:
        raise ConfigError(f"unknown software stack '{stack}'{nearest(stack, allowed)}; allowed: {', '.join(allowed)}")
    if stack == IDEAL:
        if devices > 1:
            raise ConfigError(f"--devices {devices}: the ideal roofline is that of one device")
        result = roofline_run(baseline, model, request)
    else:
        result = stack_run(baseline, model, request, stack, devices)
    energy = result.energy_j
    print(f"{result.device}, {spec.name}, {result.dtype}, {result.label}: {result.tokens} tokens after {request.prompt_tokens}")
    print(f"latency_s = {result.latency_s:.6g}")
    print(f"prompt_s = {result.prompt_s:.6g}")
    print(f"token_latency_s = {result.token_latency_s:.6g}")
    print(f"energy_j ({result.energy_scope}) = {energy.low:.4g} / {energy.nominal:.4g} / {energy.high:.4g}")
    if result.error_band:
        print(f"measured / predicted in validation: {result.error_band[0]:.2f} .. {result.error_band[1]:.2f}")


def measure(
    device: str = typer.Option(help="cuda or cpu"),
    workload: str = typer.Option(help="shipped workload or path"),
    tokens: int = typer.Option(128, min=2, help="tokens to generate and time"),
    prompt: int = typer.Option(1, min=1, help="tokens already in the context"),
    out: Path | None = typer.Option(None, help="CSV to append the row to; default: print it"),
) -> None:
    """Time batch-1 decoding of a workload with random weights on this machine (needs the extra 'measure')."""
    check_writable(out)
    row = measure_decode(device, load_workload(workload), tokens, prompt)
    print(f"{row['device']}, {row['model']}, {row['dtype']}: {row['ms_per_token']} ms per token")
    text = append_row(out, row)
    if out is None:
        print(text, end="")
    else:
        write_text(out, text)


def _print_rows(rows: tuple[ValidatedRow, ...]) -> None:
    table = Table("device", "model", "framework", "stack", "measured ms", "predicted ms", "error / why left out")
    for row in rows:
        values: dict[str, Any] = row.as_dict()
        measured, predicted, error = (values[key] for key in ("measured_ms", "predicted_ms", "error"))
        verdict = values["exception"] if error is None else f"{error:+.1%}"
        shown = ["" if ms is None else f"{ms:.3f}" for ms in (measured, predicted)]
        table.add_row(values["device"], values["model"], values["framework"], values["stack"], *shown, verdict)
    _console().print(table)


def _print_errors(method: str, stacks: dict[str, dict[str, Any]]) -> None:
    print(f"errors, {method}:")
    for stack, e in stacks.items():
        print(f"  {stack}: {e['rows']} rows, median |error| {e['median_abs_error']:.1%}, worst {e['worst_abs_error']:.1%}")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=200)
