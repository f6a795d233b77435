"""``pimsim show STORE``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from pimsim.errors import ConfigError, nearest
from pimsim.explore.objectives import ALIASES, OBJECTIVES
from pimsim.explore.salvage import salvage as salvage_rows
from pimsim.explore.table import Sweep, filtered, find_store
from pimsim.result.write import STDOUT, check_writable, write_table
from pimsim.verbs.options import Json, Quiet, old_spelling
from pimsim.verbs.output import Output
from pimsim.verbs.print_table import STORE, print_table, records

if TYPE_CHECKING:
    import pandas as pd


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("show")
    def show(
        store: str = STORE,
        sort: str | None = typer.Option(None, help="column to sort by, best first; -column for the other way round"),
        top: int | None = typer.Option(None, min=1, help="number of rows"),
        where: str | None = typer.Option(None, help="condition on columns, as \"status == 'done' and latency_s < 0.1\""),
        columns: str | None = typer.Option(None, help="columns to print, separated by commas; default: settings and objectives"),
        out: str | None = typer.Option(None, "--out", help="write the whole table to this .csv or .parquet file instead"),
        salvage: str | None = typer.Option(
            None, help="of a damaged store: write the points that are sound to this .csv file, or -"
        ),
        json: Json = None,
        quiet: Quiet = False,
        export: str | None = typer.Option(None, "--export", hidden=True),
    ) -> None:
        """Print the points of a sweep, or export its table."""
        if salvage is not None:
            _salvage(store, salvage)
            return
        output, sweep = Output(json, quiet), Sweep.load(store)
        if export is not None:
            old_spelling("--export FILE", "--out FILE")
        if out or export:
            target = sweep.export(str(out or export))
            if not output.silent:
                print(f"{target}: {len(sweep.rows)} points", file=sys.stderr if str(out or export) == STDOUT else sys.stdout)
            return
        frame = _sorted(filtered(sweep.frame(), where, "--where"), sort)
        shown = _columns(sweep, frame, columns)
        table = frame[shown].head(top) if top else frame[shown]
        print_table(output.wide, table)
        output.document({"schema_version": 1, "store": str(sweep.path), "points": records(table)})


def _salvage(store: str, target: str) -> None:
    from pandas import DataFrame

    check_writable(target)
    rows, damaged = salvage_rows(find_store(store))
    write_table(target, DataFrame(rows))
    print(f"{target}: {len(rows)} points are sound; damage was met {damaged} times", file=sys.stderr)


def _columns(sweep: Sweep, frame: pd.DataFrame, chosen: str | None) -> list[str]:
    if chosen is None:
        wanted = ["position", *sweep.axes, "status", *sweep.objectives, "reason"]
        return [name for name in dict.fromkeys(wanted) if name in frame and frame[name].notna().any()]
    return [_known(name.strip(), frame, "--columns") for name in chosen.split(",")]


def _known(name: str, frame: pd.DataFrame, option: str) -> str:
    name = ALIASES.get(name, name)
    if name not in frame:
        raise ConfigError(f"{option}: unknown column '{name}'{nearest(name, map(str, frame.columns))}")
    return name


def _sorted(frame: pd.DataFrame, sort: str | None) -> pd.DataFrame:
    if sort is None:
        return frame
    name = _known(sort.removeprefix("-"), frame, "--sort")
    best_is_low = not (name in OBJECTIVES and OBJECTIVES[name].maximise)
    key = _numbers_first if frame[name].dtype == object else None
    return frame.sort_values(name, ascending=best_is_low != sort.startswith("-"), kind="stable", key=key)


def _numbers_first(column: pd.Series) -> pd.Series:
    """Keys that order a column which holds text beside numbers (a value that makes its point infeasible)."""
    return column.map(lambda value: (0, value) if isinstance(value, int | float) else (1, str(value)), na_action="ignore")
