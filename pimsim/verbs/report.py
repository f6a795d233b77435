"""``pimsim report HARDWARE...``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pimsim.report.build import HTML, SUMMARY, build_report
from pimsim.report.data import PAPER_MODELS, ReportRequest

MOST_PROCESSES = 4


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("report")
    def report(
        hardware: Annotated[list[str], typer.Argument(help="shipped names or paths")],
        workloads: Annotated[
            str, typer.Option(help="names or paths, separated by commas; all: the eight models of PIM-GPT")
        ] = "all",
        baselines: Annotated[str, typer.Option(help="names or paths, separated by commas")] = "t4,a100_80,xeon_gold_6154",
        out: Annotated[str, typer.Option(help="folder to write; an earlier report there is replaced")] = "results/report",
        tokens: Annotated[int | None, typer.Option(help="tokens to generate [each workload's own]")] = None,
        processes: Annotated[int | None, typer.Option(min=1, max=64, help="processes [one a core, at most 4]")] = None,
    ) -> None:
        """Compare devices with baselines: an HTML report, a Markdown summary, CSV, PNG and SVG for each figure."""
        names = PAPER_MODELS if workloads == "all" else split_names(workloads)
        request = ReportRequest(tuple(hardware), names, split_names(baselines), tokens)
        build_report(request, out, processes or default_processes(), lambda text: print(text, file=sys.stderr))
        print(f"{out}/{HTML}\n{out}/{SUMMARY}")


def split_names(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def default_processes() -> int:
    """One process a core, at most 4: a run holds some hundred MB."""
    return min(MOST_PROCESSES, os.cpu_count() or 1)
