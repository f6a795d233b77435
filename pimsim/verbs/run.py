"""``pimsim run HARDWARE WORKLOAD``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pimsim.engine.kernels_start import quick_start
from pimsim.report.summary import print_run
from pimsim.simulation import simulate
from pimsim.verbs.options import Hardware, Json, Prompt, Quiet, Settings, Tokens, Workload
from pimsim.verbs.output import Output


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("run")
    def run(
        hardware: Hardware,
        workload: Workload,
        tokens: Tokens = None,
        prompt: Prompt = None,
        settings: Settings = None,
        json: Json = None,
        quiet: Quiet = False,
        engine: Annotated[str, typer.Option(help="fast or reference")] = "fast",
        no_refresh: Annotated[bool, typer.Option("--no-refresh", help="switch refresh off")] = False,
    ) -> None:
        """Simulate every command of a request and print where time and energy went."""
        output = Output(json, quiet)
        with quick_start(), progress_report() as report:
            result = simulate(
                hardware, workload, tokens, prompt,
                settings=settings or (), engine=engine, refresh=not no_refresh, progress=report,
            )  # fmt: skip
        print_run(output.console, result)
        output.document(result.to_dict())


class _Report:
    """Shows a progress bar once a run has taken a second; until then nothing is drawn."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.bar: Progress | None = None
        self.task = TaskID(0)

    def __call__(self, done: int, total: int) -> None:
        if self.bar is None and time.monotonic() - self.began > 1:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("tokens"),
                TimeRemainingColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("simulating", total=total)
        if self.bar is not None:
            self.bar.update(self.task, completed=done)


@contextmanager
def progress_report() -> Iterator[_Report]:
    """A progress callback for ``simulate``; its bar, if one was shown, is taken away at the end."""
    report = _Report()
    try:
        yield report
    finally:
        if report.bar is not None:
            report.bar.stop()
