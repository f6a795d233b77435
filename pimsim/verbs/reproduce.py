"""``pimsim reproduce pim-gpt``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pimsim.errors import ConfigError, nearest
from pimsim.report.folder import check_folder
from pimsim.report.reproduce.build import ENTRIES, MARKDOWN, write_reproduction
from pimsim.report.reproduce.collect import reproduce as reproduce_pim_gpt
from pimsim.report.reproduce.rows import Row, table
from pimsim.report.reproduce.text import HEADS, cells
from pimsim.verbs.options import Processes
from pimsim.verbs.output import wide_console
from pimsim.verbs.report import default_processes

PAPERS = ("pim-gpt",)


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("reproduce")
    def reproduce(
        paper: Annotated[str, typer.Argument(help="pim-gpt")],
        out: Annotated[Path | None, typer.Option(help="folder for Markdown, CSV and figures")] = None,
        tokens: Annotated[int | None, typer.Option(min=1, help="tokens to generate (default: 1,024 as published)")] = None,
        processes: Processes = None,
    ) -> None:
        """Compute again what a paper published, figure by figure, and say which baseline assumption each needs."""
        if paper not in PAPERS:
            raise ConfigError(f"unknown paper '{paper}'{nearest(paper, PAPERS)}; allowed: {', '.join(PAPERS)}")
        if out is not None:
            check_folder(out, ENTRIES)
        data = reproduce_pim_gpt(tokens=tokens, processes=processes or default_processes(), progress=_say)
        if out is not None:
            write_reproduction(data, out)
        _print(table(data))
        if out is not None:
            print(out / MARKDOWN)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _print(rows: list[Row]) -> None:
    shown = Table(*HEADS, title="PIM-GPT: published and ours")
    for row in rows:
        shown.add_row(*cells(row))
    wide_console().print(shown)
