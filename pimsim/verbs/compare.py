"""``pimsim compare HARDWARE... WORKLOAD... --baseline NAME...``."""

from __future__ import annotations

from typing import Annotated

import typer

from pimsim.comparison import compare as compare_runs
from pimsim.engine.kernels_first import watch_compilation
from pimsim.engine.kernels_start import quick_start
from pimsim.report.summary import print_comparison
from pimsim.verbs.options import (
    Baselines,
    HardwareAndWorkloads,
    Json,
    Prompt,
    Quiet,
    Settings,
    Tokens,
    hardware_and_workloads,
    listed,
)
from pimsim.verbs.output import Output
from pimsim.verbs.progress import say_compiling


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("compare")
    def compare(
        names: HardwareAndWorkloads,
        baseline: Baselines = None,
        stack: Annotated[str | None, typer.Option(help="also model this software stack: eager, compiled or fused")] = None,
        tokens: Tokens = None,
        prompt: Prompt = None,
        settings: Settings = None,
        json: Json = None,
        quiet: Quiet = False,
    ) -> None:
        """Simulate workloads on one or more devices and set baseline devices beside them."""
        output = Output(json, quiet)
        hardware, workloads = hardware_and_workloads(names)
        baselines = listed(baseline or ())
        with quick_start(), watch_compilation(say_compiling):
            rows = compare_runs(hardware, workloads, baselines, tokens, prompt, settings=settings or (), stack=stack)
        print_comparison(output.console, rows)
        runs = {id(row.run): row.run.to_dict() for row in rows}
        output.document({"schema_version": 1, "comparisons": [row.to_dict() for row in rows], "runs": list(runs.values())})
