"""``pimsim baselines list``."""

from __future__ import annotations

import typer
from rich.table import Table

from pimsim.config.baseline import baseline_names, load_baseline
from pimsim.verbs.options import Json, Quiet
from pimsim.verbs.output import Output


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("list")(list_devices)


def list_devices(json_file: Json = None, quiet: Quiet = False) -> None:
    """List the shipped devices."""
    output, rows = Output(json_file, quiet), []
    table = Table("name", "device", "class", "dtype", "GB/s", "GB", "TFLOP/s", "TDP W", "year")
    for name in baseline_names():
        spec = load_baseline(name).spec
        peak = spec.compute.fp16_bf16_tflops or spec.compute.fp32_tflops
        numbers = (spec.memory.bandwidth_gb_per_s, spec.memory.capacity_gb, peak, spec.power.tdp_w)
        shown = [f"{number:g}" for number in numbers]
        table.add_row(name, spec.description, spec.device_class, spec.dtype, *shown, str(spec.launch_year))
        rows.append({"name": name, **spec.model_dump(mode="json")})
    output.wide.print(table)
    output.document({"schema_version": 1, "baselines": rows})
