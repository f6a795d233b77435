"""``pimsim baselines measure``."""

from __future__ import annotations

from pathlib import Path

import typer

from pimsim.baselines.measure import append_row, measure_decode
from pimsim.config.load import load_workload
from pimsim.result.write import check_writable, write_text
from pimsim.verbs.options import device_and_workload


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("measure")(measure)


def measure(
    names: list[str] | None = typer.Argument(None, metavar="DEVICE WORKLOAD", help="cuda or cpu; shipped name or path"),
    tokens: int = typer.Option(128, min=2, help="tokens to generate and time"),
    prompt: int = typer.Option(1, min=1, help="tokens already in the context"),
    out: Path | None = typer.Option(None, help="CSV to append the row to; default: print it"),
    old_device: str | None = typer.Option(None, "--device", hidden=True),
    old_workload: str | None = typer.Option(None, "--workload", hidden=True),
) -> None:
    """Time batch-1 decoding of a workload with random weights on this machine (needs the extra 'measure')."""
    check_writable(out)
    device, workload = device_and_workload("measure", names or [], old_device, old_workload)
    row = measure_decode(device, load_workload(workload), tokens, prompt)
    print(f"{row['device']}, {row['model']}, {row['dtype']}: {row['ms_per_token']} ms per token")
    text = append_row(out, row)
    if out is None:
        print(text, end="")
    else:
        write_text(out, text)
