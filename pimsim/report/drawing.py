"""Style of all figures, and a drawing that remembers what to say when a mark is pointed at.

Colours are those of Okabe and Ito (colour-blind-safe). ``INK`` and ``GRID`` are replaced by the page's own colours when an
SVG is put into HTML, so that the same figure is readable on light and dark.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GRID = "#23252b", "#d7dade"
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE, GREY = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#8A8F98",
)  # fmt: skip
SERIES = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, YELLOW, GREY)
MARKERS = "osD^vPX*"

_RC: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "pimsim", "font.family": "DejaVu Sans", "font.size": 9,
    "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "grid.color": GRID, "axes.grid": True, "axes.grid.axis": "y", "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10, "axes.titleweight": "bold",
    "legend.frameon": False, "legend.fontsize": 8, "lines.linewidth": 1.6, "figure.dpi": 100, "axes.linewidth": 0.8,
    "axes.facecolor": "none",
}  # fmt: skip
_PNG_DPI = 150
_PAGE_PX_PER_INCH = 125


def style() -> Any:
    """Context in which figures are drawn; nothing of it stays behind."""
    return matplotlib.rc_context(_RC)


class Drawing:
    """Drawn within ``style()``: a figure with ``rows`` x ``columns`` axes (``axes[row][column]``), each ``width`` x ``height`` inches."""

    def __init__(self, rows: int = 1, columns: int = 1, width: float = 4.6, height: float = 3.0, **layout: Any) -> None:
        self.figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        self.axes: list[list[Axes]] = self.figure.subplots(rows, columns, squeeze=False, **layout).tolist()
        self.tips: list[str] = []

    def tip(self, artist: Any, text: str) -> None:
        """Show ``text`` when ``artist`` is pointed at."""
        artist.set_gid(f"tip{len(self.tips)}")
        self.tips.append(text)

    def legend(self, handles: Iterable[Any] | None = None, columns: int = 8) -> None:
        """One legend for the whole figure, above it; from the first axes if no ``handles`` are given."""
        if handles is None:
            handles, _ = self.axes[0][0].get_legend_handles_labels()
        self.figure.legend(handles=list(handles), loc="outside upper center", ncols=columns)

    def save(self, folder: Path, name: str) -> None:
        """Write ``name.png`` and ``name.svg`` on white."""
        with style():
            self.figure.savefig(folder / f"{name}.png", dpi=_PNG_DPI, facecolor="white", metadata={"Software": None})
        start = self.svg.index(">", self.svg.index("<svg")) + 1
        white = '<rect width="100%" height="100%" fill="#ffffff"/>'
        (folder / f"{name}.svg").write_text(self.svg[:start] + white + self.svg[start:], encoding="utf-8")

    @cached_property
    def svg(self) -> str:
        """The figure as an SVG file without background."""
        buffer = io.StringIO()
        with style():
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return buffer.getvalue()

    def inline_svg(self, name: str) -> str:
        """SVG element for a page: in the page's colours, ids of its own, a title in each mark with a tip."""
        svg = self.svg[self.svg.index("<svg") :]
        svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1)
        svg = svg.replace("<svg", f'<svg style="max-width: {self.figure.get_figwidth() * _PAGE_PX_PER_INCH:.0f}px"', 1)
        svg = svg.replace(INK, "currentColor").replace(GRID, "var(--grid)").replace("'DejaVu Sans'", "inherit")
        svg = re.sub(r'(id=|xlink:href=|url\()"?(#?)([\w-]+)', lambda m: _own_id(m, name), svg)
        return re.sub(rf'<g id="{name}-tip(\d+)">', self._with_title, svg)

    def _with_title(self, found: re.Match[str]) -> str:
        text = html.escape(self.tips[int(found[1])])
        return f'<g class="tip"><title>{text}</title>'


def _own_id(found: re.Match[str], name: str) -> str:
    attribute, hash_sign, identifier = found.groups()
    quote = "" if attribute == "url(" else '"'
    if attribute == "xlink:href=" and not hash_sign:
        return found[0]
    return f"{attribute}{quote}{hash_sign}{name}-{identifier}"


def quiet(axes: Axes, reason: str) -> None:
    """Say in the middle of empty ``axes`` why nothing is drawn."""
    axes.text(0.5, 0.5, reason, ha="center", va="center", transform=axes.transAxes, color=INK, wrap=True)
    axes.set_xticks([])
    axes.set_yticks([])
