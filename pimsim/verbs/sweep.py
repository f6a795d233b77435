"""``pimsim sweep SWEEP``."""

from __future__ import annotations

import sys
import time
from collections import Counter

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pimsim.explore.driver import RESULTS_FOLDER, SweepRun, run_sweep, store_path
from pimsim.explore.evaluate import FAILED, INFEASIBLE, why_not
from pimsim.explore.free import free_lines
from pimsim.explore.plan import SweepPlan, plan_sweep
from pimsim.explore.session import Progress
from pimsim.explore.table import Sweep
from pimsim.text import printable

_INTERRUPTED = 130
_REPORT_EVERY_S = 10.0
_REASONS = 5


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("sweep")
    def sweep(
        name: str = typer.Argument(metavar="SWEEP", help="shipped sweep or path to a YAML file"),
        workers: int | None = typer.Option(None, min=1, help="local worker processes; default: all cores"),
        scheduler: str | None = typer.Option(None, help="address of a Dask scheduler, as tcp://host:8786"),
        out: str = typer.Option(RESULTS_FOLDER, help="folder of the store"),
        fresh: bool = typer.Option(False, "--fresh/--resume", help="forget stored points, or go on (default)"),
        dry_run: bool = typer.Option(False, help="check the sweep and list its points; simulate nothing"),
    ) -> None:
        """Simulate every point of a sweep, in parallel; stored points are skipped, so it can be stopped and run again."""
        if workers is not None and scheduler is not None:
            raise typer.BadParameter("--workers is for local processes, --scheduler for a cluster: give one of them")
        plan = plan_sweep(name)
        for line in free_lines(path for axis in plan.axes for path in axis.paths):
            print(f"note: {line}", file=sys.stderr)
        if dry_run:
            _list_points(plan, out)
            return
        display = _Display(plan)
        try:
            with display:
                run = run_sweep(name, out, workers=workers, scheduler=scheduler, fresh=fresh, watch=display.update)
        except KeyboardInterrupt:
            print(f"interrupted: {display.text()}; finished points are stored, run again to go on", file=sys.stderr)
            sys.exit(_INTERRUPTED)
        print(f"{run.path}: {_counts(run.progress)}; {run.progress.simulated} simulated now, {run.wall_s:.1f} s")
        if run.progress.repeated:
            print(f"{run.progress.repeated} trials repeated an earlier one and were not simulated again")
        if run.progress.failed or not run.progress.done:
            _say_why(run)
            sys.exit(1)


def _say_why(run: SweepRun) -> None:
    """Print why points failed, or why none could be simulated, each reason once."""
    rows, kind = Sweep.load(run.path).rows, FAILED if run.progress.failed else INFEASIBLE
    reasons = Counter(printable(str(row["reason"])) for row in rows if row["status"] == kind)
    opening = "failed (tracebacks are in the store; run again to retry):" if kind == FAILED else "no point could be simulated:"
    shown = [f"{count} x {reason}" if count > 1 else reason for reason, count in reasons.most_common(_REASONS)]
    more = [f"and {len(reasons) - _REASONS} more reasons"] if len(reasons) > _REASONS else []
    print(opening, *shown, *more, sep="\n  ", file=sys.stderr)


class _Display:
    """A live bar on a terminal, a line now and then elsewhere."""

    def __init__(self, plan: SweepPlan) -> None:
        self._objective = plan.objectives[0]
        self._console = Console(stderr=True)
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Bar(TextColumn(plan.spec.name), *columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("points", total=None, text="")
        self._progress = Progress()
        self._began = self._reported = time.monotonic()

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def text(self) -> str:
        """Counts, rate and the best value of the first objective so far."""
        rate = self._progress.simulated / max(1e-9, time.monotonic() - self._began)
        best = self._progress.best
        shown = "" if best is None else f", best {self._objective} {best:.4g}"
        return f"{_counts(self._progress)}, {rate:.1f} points/s{shown}"

    def update(self, progress: Progress) -> None:
        """Show how far the sweep is."""
        self._progress = progress
        self._bar.update(self._task, completed=progress.finished, total=progress.total, text=self.text())
        now = time.monotonic()
        if self._bar.disable and now - self._reported > _REPORT_EVERY_S:
            self._reported = now
            print(f"{progress.finished} of {progress.total}: {self.text()}", file=sys.stderr, flush=True)


def _counts(progress: Progress) -> str:
    return f"{progress.done} done, {progress.infeasible} infeasible, {progress.failed} failed"


def _list_points(plan: SweepPlan, out: str) -> None:
    print(f"{plan.where} -> {store_path(out, plan.spec.name)}; objectives: {', '.join(plan.objectives)}")
    if plan.spec.strategy is not None:
        from pimsim.explore.search import check_search  # Optuna is an extra

        spec = plan.spec.strategy.optuna
        check_search(plan)
        print(f"search with {spec.sampler}: {spec.trials} trials over {', '.join(axis.name for axis in plan.axes)}")
        return
    points, infeasible = plan.points(), 0
    for number, point in enumerate(points):
        settings = printable(", ".join(f"{path}={value}" for path, value in point.settings.items()))
        refused = point.refused or why_not(point.task)
        infeasible += refused is not None
        print(f"{number}: {settings}" + (f"  [infeasible: {refused}]" if refused else ""))
    print(f"{len(points)} points, {infeasible} of them infeasible")
