"""``pimsim baselines validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from pimsim.baselines.validate import (
    ValidatedRow,
    leave_one_out,
    leave_source_out,
    shipped_calibration,
    stack_errors,
    validate_table,
)
from pimsim.verbs.options import Json, Quiet
from pimsim.verbs.output import Output


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("validate")(validate)


def validate(
    measurements: Path | None = typer.Option(None, help="CSV with the columns of the shipped table; default: the shipped rows"),
    json_file: Json = None,
    quiet: Quiet = False,
) -> None:
    """Print predicted against measured decode times; shipped rows are predicted by a fit that leaves each one out."""
    output = Output(json_file, quiet)
    rows = leave_one_out() if measurements is None else validate_table(measurements)
    report: dict[str, Any] = {
        "parameters": shipped_calibration(),
        "rows": [r.as_dict() for r in rows],
        "stacks": stack_errors(rows),
    }
    report["method"] = "leave-one-out" if measurements is None else "shipped calibration"
    if measurements is None:
        report["stacks_leaving_source_out"] = stack_errors(leave_source_out())
    output.document(report)
    _print_rows(output, rows)
    _print_errors(output, report["method"], report["stacks"])
    if measurements is None:
        _print_errors(output, "leaving the row's whole source out", report["stacks_leaving_source_out"])


def _print_rows(output: Output, rows: tuple[ValidatedRow, ...]) -> None:
    table = Table("device", "model", "framework", "stack", "measured ms", "predicted ms", "error / why left out")
    for row in rows:
        values: dict[str, Any] = row.as_dict()
        measured, predicted, error = (values[key] for key in ("measured_ms", "predicted_ms", "error"))
        verdict = values["exception"] if error is None else f"{error:+.1%}"
        shown = ["" if ms is None else f"{ms:.3f}" for ms in (measured, predicted)]
        table.add_row(values["device"], values["model"], values["framework"], values["stack"], *shown, verdict)
    output.wide.print(table)


def _print_errors(output: Output, method: str, stacks: dict[str, dict[str, Any]]) -> None:
    output.console.print(f"errors, {method}:")
    for stack, e in stacks.items():
        output.console.print(
            f"  {stack}: {e['rows']} rows, median |error| {e['median_abs_error']:.1%}, worst {e['worst_abs_error']:.1%}"
        )
