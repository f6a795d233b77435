"""``pimsim pareto STORE``."""

from __future__ import annotations

from pathlib import Path

import typer

from pimsim.explore.evaluate import DONE
from pimsim.explore.objectives import objective_named
from pimsim.explore.pareto import dominating, plot_front
from pimsim.explore.table import Sweep, filtered
from pimsim.verbs.options import Json, Quiet, old_spelling
from pimsim.verbs.output import Output
from pimsim.verbs.print_table import STORE, print_table, records


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("pareto")
    def pareto(
        store: str = STORE,
        objectives: str | None = typer.Option(None, help="objectives, separated by commas; default: the sweep's own"),
        out: str | None = typer.Option(
            None, "--out", help="PNG to draw; default: beside the store, named after other objectives"
        ),
        mark: str | None = typer.Option(None, help="condition for reference points to star and compare with, as 'position == 0'"),
        no_plot: bool = typer.Option(False, "--no-plot", help="print the table only"),
        json: Json = None,
        quiet: Quiet = False,
        plot: str | None = typer.Option(None, "--plot", hidden=True),
    ) -> None:
        """Print and plot the points that no other point betters in every objective."""
        output, sweep = Output(json, quiet), Sweep.load(store)
        if plot is not None:
            old_spelling("--plot FILE", "--out FILE")
        names = [objective_named(n.strip(), "--objectives").name for n in (objectives or ",".join(sweep.objectives)).split(",")]
        front = sweep.front(names)
        shown = front[["position", *sweep.axes, *names]]
        print_table(output.wide, shown)
        frame = sweep.frame()
        done = frame[frame["status"] == DONE]
        say = output.console.print
        say(f"{len(front)} of {len(done)} finished points are on the front of {', '.join(names)}", markup=False)
        marked = filtered(done, mark, "--mark") if mark else None
        for row in marked.to_dict("records") if marked is not None else []:
            better = dominating(front, row, names)
            said = f"is dominated by points {better} of the front" if better else "is not dominated by any point"
            say(f"point {row['position']} {said}", markup=False)
        if len(names) > 1 and not no_plot:
            target = Path(str(out or plot)) if out or plot else sweep.path.with_suffix(_suffix(sweep, names))
            plot_front(done, front, names, target, marked)
            say(f"plot: {target}", markup=False)
        document = {"schema_version": 1, "store": str(sweep.path), "objectives": names, "finished": len(done)}
        output.document(document | {"front": records(shown)})


def _suffix(sweep: Sweep, names: list[str]) -> str:
    """Pictures of other objectives than the sweep's own do not replace that of its own."""
    return ".pareto.png" if names == list(sweep.objectives) else f".pareto.{'-'.join(names)}.png"
