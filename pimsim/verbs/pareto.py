"""``pimsim pareto STORE``."""

from __future__ import annotations

from pathlib import Path

import typer

from pimsim.explore.evaluate import DONE
from pimsim.explore.objectives import objective_named
from pimsim.explore.pareto import dominating, plot_front
from pimsim.explore.table import Sweep, filtered
from pimsim.verbs.print_table import STORE, print_table


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("pareto")
    def pareto(
        store: str = STORE,
        objectives: str | None = typer.Option(None, help="objectives, separated by commas; default: the sweep's own"),
        plot: str | None = typer.Option(None, help="PNG to draw; default: beside the store"),
        mark: str | None = typer.Option(None, help="condition for reference points to star and compare with, as 'position == 0'"),
        no_plot: bool = typer.Option(False, "--no-plot", help="print the table only"),
    ) -> None:
        """Print and plot the points that no other point betters in every objective."""
        sweep = Sweep.load(store)
        names = [objective_named(n.strip(), "--objectives").name for n in (objectives or ",".join(sweep.objectives)).split(",")]
        front = sweep.front(names)
        print_table(front[["position", *sweep.axes, *names]])
        frame = sweep.frame()
        done = frame[frame["status"] == DONE]
        print(f"{len(front)} of {len(done)} finished points are on the front of {', '.join(names)}")
        marked = filtered(done, mark, "--mark") if mark else None
        for row in marked.to_dict("records") if marked is not None else []:
            print(f"point {row['position']} is dominated by points {dominating(front, row, names) or '(none)'} of the front")
        if len(names) > 1 and not no_plot:
            target = Path(plot) if plot else sweep.path.with_suffix(".pareto.png")
            plot_front(done, front, names, target, marked)
            print(f"plot: {target}")
