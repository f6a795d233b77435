"""Style of all figures: colours, fonts, and the width of what they are for.

Colours are those of Okabe and Ito (colour-blind-safe). ``INK``, ``GRID`` and ``PAPER`` are replaced by the page's own colours when an
SVG is put into HTML, so that the same figure is readable on light and dark.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib

from pimsim.errors import ConfigError, nearest

INK, GRID, PAPER = "#23252b", "#d7dade", "#fffffe"
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE, GREY = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#8A8F98",
)  # fmt: skip
SERIES = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, YELLOW, GREY)
MARKERS = "osD^vPX*"


@dataclass(frozen=True)
class Style:
    """``width_in``: width of a figure in inches; ``font_pt`` of its text; ``dpi`` of PNG files."""

    name: str
    width_in: float
    font_pt: float
    dpi: int


PAGE = Style("page", 7.0, 9.0, 150)
STYLES = {
    one.name: one
    for one in (PAGE, Style("one-column", 3.5, 7.0, 300), Style("two-column", 7.16, 8.0, 300), Style("slides", 12.0, 16.0, 150))
}
_CURRENT = [PAGE]


def style_named(name: str) -> Style:
    """A style by its name. Raises ConfigError for another."""
    if name not in STYLES:
        raise ConfigError(f"unknown style '{name}'{nearest(name, STYLES)}; allowed: {', '.join(STYLES)}")
    return STYLES[name]


def current() -> Style:
    """The style that figures are drawn in now."""
    return _CURRENT[-1]


@contextmanager
def style(chosen: Style = PAGE) -> Iterator[None]:
    """Context in which figures are drawn; nothing of it stays behind."""
    _CURRENT.append(chosen)
    try:
        with matplotlib.rc_context(_rc(chosen)):
            yield
    finally:
        _CURRENT.pop()


def _rc(chosen: Style) -> Any:
    size = chosen.font_pt
    return {
        "svg.fonttype": "none", "svg.hashsalt": "pimsim", "pdf.fonttype": 42, "font.family": "DejaVu Sans", "font.size": size,
        "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "text.color": INK, "xtick.color": INK,
        "ytick.color": INK, "grid.color": GRID, "axes.grid": True, "axes.grid.axis": "both", "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": size + 0.5, "axes.titleweight": "normal",
        "axes.labelsize": size, "xtick.labelsize": size - 1, "ytick.labelsize": size - 1,
        "legend.frameon": False, "legend.fontsize": size - 1, "lines.linewidth": 0.16 * size, "figure.dpi": 100,
        "axes.linewidth": 0.8, "axes.facecolor": "none", "lines.markersize": 0.55 * size,
        "figure.constrained_layout.h_pad": 0.06, "figure.constrained_layout.w_pad": 0.06,
    }  # fmt: skip
