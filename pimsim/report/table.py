"""Tables as text with sort keys."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cell:
    """What is shown, the number that sorts it (None for text), ``best`` or ``worst`` where it is
    that, and whether text is set as numbers are: right-aligned, unbroken."""

    text: str
    key: float | None = None
    mark: str = ""
    narrow: bool = False


@dataclass(frozen=True)
class ReportTable:
    """A table with its caption; ``brief`` ones are in the Markdown summary too, ``folded`` ones closed at first."""

    name: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    brief: bool = False
    folded: bool = False


def cell(value: Any) -> Cell:
    """Numbers with four significant digits and their value as key; anything else as text; nothing for a missing number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell("" if value is None else str(value))
    if math.isnan(value):
        return Cell("")
    return Cell(
        f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}", float(value)
    )
