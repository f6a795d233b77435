"""``pimsim compare HARDWARE WORKLOAD... --baseline NAME...``."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer
from rich.console import Console

from pimsim.comparison import compare as compare_runs
from pimsim.report.summary import print_comparison
from pimsim.result.write import check_writable, write_text
from pimsim.verbs.run import Json, Prompt, Settings, Tokens


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("compare")
    def compare(
        hardware: Annotated[str, typer.Argument(help="shipped name or path")],
        workloads: Annotated[list[str], typer.Argument(help="shipped names or paths")],
        baseline: Annotated[list[str], typer.Option(help="baseline device, shipped name or path; may be repeated")],
        stack: Annotated[str | None, typer.Option(help="also model this software stack: eager, compiled or fused")] = None,
        tokens: Tokens = None,
        prompt: Prompt = None,
        settings: Settings = None,
        json: Json = None,
    ) -> None:
        """Simulate workloads and set baseline devices beside them."""
        check_writable(json)
        names = [name for given in baseline for name in given.split(",") if name]
        rows = compare_runs(hardware, workloads, names, tokens, prompt, settings=settings or (), stack=stack)
        print_comparison(Console(soft_wrap=True), rows)
        if json:
            runs = {id(row.run): row.run.to_dict() for row in rows}
            document = {"schema_version": 1, "comparisons": [row.to_dict() for row in rows], "runs": list(runs.values())}
            write_text(json, json_module.dumps(document, indent=2) + "\n")
