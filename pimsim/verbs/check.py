"""``pimsim check FILE...`` and ``pimsim schema KIND``."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from pimsim.config.baseline import load_baseline
from pimsim.config.device import Device
from pimsim.config.layers import read_layers
from pimsim.config.load import load_hardware, load_workload
from pimsim.config.schemas import SCHEMAS, json_schema, kind_of
from pimsim.errors import ConfigError, PimsimError, nearest
from pimsim.explore.plan import plan_sweep
from pimsim.workload.model import DecoderModel


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to ``app``."""

    @app.command("check")
    def check(
        files: list[str] = typer.Argument(help="hardware, workload, baseline device or sweep: shipped names or paths"),
    ) -> None:
        """Validate descriptions and print them resolved, with derived cycles and sources."""
        console, problems = Console(soft_wrap=True), []
        for name in files:
            try:
                _check_one(console, name)
            except PimsimError as error:
                problems.append(str(error))
        if problems:
            raise ConfigError("\n".join(problems))

    @app.command("schema")
    def schema(kind: str = typer.Argument(help="hardware, workload, baseline or sweep")) -> None:
        """Print the JSON Schema of a kind of file, for completion in editors."""
        if kind not in SCHEMAS:
            raise ConfigError(f"unknown schema '{kind}'{nearest(kind, SCHEMAS)}; allowed: {', '.join(SCHEMAS)}")
        print(json.dumps(json_schema(kind), indent=2))


def _check_one(console: Console, name: str) -> None:
    kind = kind_of(name)
    if kind == "sweep":
        plan = plan_sweep(name)
        shown = f"search of {plan.spec.strategy.optuna.trials} trials" if plan.spec.strategy else f"{len(plan.points()):,} points"
        console.print(f"[bold]{plan.spec.name}[/bold] ({plan.where}): valid sweep, {shown}")
        return
    if kind == "baseline":
        baseline = load_baseline(name)
        console.print(f"[bold]{baseline.name}[/bold] ({baseline.where}): valid baseline device")
        _print_values(console, baseline.spec.model_dump(), baseline.sources)
        return
    if kind == "workload":
        spec = load_workload(name)
        layered = read_layers(name, "workloads", "workload")
        console.print(
            f"[bold]{spec.name}[/bold] ({layered.where}): valid workload, {DecoderModel(spec.model).parameters:,} parameters"
        )
        _print_values(console, spec.model_dump(), layered.sources)
        return
    device = load_hardware(name)
    console.print(f"[bold]{device.name}[/bold] ({device.where}): valid hardware")
    _print_values(console, device.spec.model_dump(exclude={"dram": {"timing"}}), device.sources)
    _print_timing(console, device)


def _print_values(console: Console, values: dict[str, Any], sources: Any, prefix: str = "") -> None:
    if not prefix:
        console.print()
    for key, value in values.items():
        path = f"{prefix}{key}"
        if key == "source" or value is None:
            continue
        if isinstance(value, dict) and "nominal" not in value:
            _print_values(console, value, sources, f"{path}.")
        else:
            shown = f"{value['low']:g} / {value['nominal']:g} / {value['high']:g}" if isinstance(value, dict) else value
            console.print(f"  {path} = {shown}  [dim]# {sources.get(path, 'default')}[/dim]", highlight=False)


def _print_timing(console: Console, device: Device) -> None:
    table = Table("parameter", "CK", "ns", "resolved from", "source", title=f"timing, tCK = {device.timing.t_ck_ps} ps")
    for name, cycles in device.timing.cycles.items():
        origin = device.timing.origin[name]
        spelt = [f"dram.timing.{s}" for s in (name, f"t{name[1:]}_ns")]
        source = next((device.sources[s] for s in spelt if s in device.sources), "")
        table.add_row(name, str(cycles), f"{cycles * device.timing.t_ck_ps / 1000:g}", origin, source)
    console.print(table)
