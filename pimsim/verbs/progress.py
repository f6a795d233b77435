"""How far a verb is, on standard error: nothing for the first seconds, then a bar with the remaining time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

_SILENT_S, _LINE_EVERY_S = 2.0, 10.0


class Report:
    """Call it with (done, total). On a terminal a bar is drawn after two seconds; elsewhere a line now and then."""

    def __init__(self, what: str, unit: str, quiet: bool = False) -> None:
        self._what, self._unit, self._quiet = what, unit, quiet
        self._began = self._said = time.monotonic()
        self._console = Console(stderr=True)
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._quiet or now - self._began < _SILENT_S:
            return
        if not self._console.is_terminal:
            if now - self._said > _LINE_EVERY_S and done:
                self._said = now
                left_s = (now - self._began) / done * (total - done)
                self._console.print(f"{self._what}: {done} of {total} {self._unit}, {left_s:.0f} s left", highlight=False)
            return
        if self._bar is None:
            self._start(total)
        self._bar.update(self._task, completed=done, total=total)

    def _start(self, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(self._unit),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self._what, total=total)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress_report(what: str = "simulating", unit: str = "tokens", quiet: bool = False) -> Iterator[Report]:
    """A progress callback; its bar, if one was shown, is taken away at the end."""
    report = Report(what, unit, quiet)
    try:
        yield report
    finally:
        report.stop()


def say_compiling() -> None:
    """One line, for whoever wonders why the first run takes longer."""
    print("compiling the simulator's kernels, once on this machine ...", file=sys.stderr, flush=True)
