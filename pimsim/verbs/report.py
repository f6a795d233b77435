"""``pimsim report HARDWARE... WORKLOAD...``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pimsim.report.build import HTML, SUMMARY, build_report
from pimsim.report.data import PAPER_MODELS, ReportRequest
from pimsim.report.style import style_named
from pimsim.verbs.options import (
    Baselines,
    HardwareAndWorkloads,
    Processes,
    Prompt,
    Quiet,
    Settings,
    Tokens,
    hardware_and_workloads,
    listed,
    old_spelling,
)
from pimsim.verbs.output import Output

MOST_PROCESSES = 4
BASELINES = ("t4", "a100_80", "xeon_gold_6154")


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("report")
    def report(
        names: HardwareAndWorkloads,
        baseline: Baselines = None,
        out: Annotated[str, typer.Option(help="folder to write; an earlier report there is replaced")] = "results/report",
        tokens: Tokens = None,
        prompt: Prompt = None,
        settings: Settings = None,
        processes: Processes = None,
        style: Annotated[
            str, typer.Option(help="of the figures' files: page, one-column, two-column or slides; all but page also as PDF")
        ] = "page",
        quiet: Quiet = False,
        old_workloads: Annotated[str | None, typer.Option("--workloads", hidden=True)] = None,
        old_baselines: Annotated[str | None, typer.Option("--baselines", hidden=True)] = None,
    ) -> None:
        """Compare devices with baselines: an HTML report, a Markdown summary, CSV, PNG and SVG for each figure.

        Without a WORKLOAD it is about the eight models of PIM-GPT; without --baseline about t4, a100_80 and xeon_gold_6154.
        """
        hardware, workloads = hardware_and_workloads(names)
        if old_workloads is not None:
            old_spelling("--workloads A,B", "report HARDWARE A B")
            workloads += () if old_workloads == "all" else listed([old_workloads])
        baselines = listed(baseline or ()) or BASELINES
        if old_baselines is not None:
            old_spelling("--baselines A,B", "--baseline A --baseline B")
            baselines = listed([old_baselines])
        request = ReportRequest(hardware, workloads or PAPER_MODELS, baselines, tokens, prompt, tuple(settings or ()))
        chosen = style_named(style)
        say = (lambda text: None) if quiet else (lambda text: print(text, file=sys.stderr))
        build_report(request, out, processes or default_processes(), say, chosen)
        Output(quiet=quiet).console.print(f"{out}/{HTML}\n{out}/{SUMMARY}")


def default_processes() -> int:
    """One process a core, at most 4: a run holds some hundred MB."""
    return min(MOST_PROCESSES, os.cpu_count() or 1)
