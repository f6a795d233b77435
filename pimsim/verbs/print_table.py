"""Tables of sweep results on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pimsim.text import shown

if TYPE_CHECKING:
    import pandas as pd

STORE = typer.Argument(metavar="STORE", help="path of a store, or name of a sweep under results/")
_LONGEST = 60  # characters of a cell before it is folded


def print_table(console: Console, frame: pd.DataFrame) -> None:
    """Print ``frame``; columns that do not fit beside each other come in further tables, each with the first column again."""
    names = [str(name) for name in frame.columns]
    cells = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    widths = [max([len(name), *(min(_LONGEST, len(row[index])) for row in cells)]) for index, name in enumerate(names)]
    for part in parts(widths, console.width):
        right = [bool(frame.iloc[:, index].map(lambda value: isinstance(value, int | float)).all()) for index in part]
        table = Table(
            *(Column(names[index], justify="right" if r else "left", overflow="fold") for index, r in zip(part, right, strict=True)),
            box=None, padding=(0, 1), pad_edge=False, header_style="bold",
        )  # fmt: skip
        for row in cells:
            table.add_row(*[escape(row[index]) for index in part])
        console.print(table)


def parts(widths: list[int], room: int) -> Iterator[list[int]]:
    """Columns of each table, the first column in every one of them."""
    part, used = [0], widths[0]
    for index in range(1, len(widths)):
        if used + 2 + widths[index] > room and len(part) > 1:
            yield part
            part, used = [0], widths[0]
        part.append(index)
        used += 2 + widths[index]
    yield part


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values for JSON; None where there is none."""
    return [
        {str(name): None if value != value else value.item() if hasattr(value, "item") else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else shown(value, 400)
