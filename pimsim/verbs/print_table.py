"""Tables of sweep results on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

STORE = typer.Argument(metavar="STORE", help="path of a store, or name of a sweep under results/")


def print_table(frame: pd.DataFrame) -> None:
    """Print ``frame``, as wide as it needs where the output is not a terminal."""
    console = Console()
    console = console if console.is_terminal else Console(width=250)
    table = Table(*map(str, frame.columns))
    for row in frame.itertuples(index=False):
        table.add_row(*[_cell(value) for value in row])
    console.print(table)


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))
