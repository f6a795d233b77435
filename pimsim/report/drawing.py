"""A drawing: a figure laid out for a style's width, that remembers what to say when a mark is pointed at."""

from __future__ import annotations

import html
import io
import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from pimsim.report.style import (
    BLUE,
    GREEN,
    GREY,
    GRID,
    INK,
    MARKERS,
    ORANGE,
    PAGE,
    PAPER,
    PURPLE,
    SERIES,
    SKY,
    VERMILLION,
    YELLOW,
    Style,
    current,
    style,
)  # fmt: skip

__all__ = [
    "BLUE", "GREEN", "GREY", "GRID", "INK", "MARKERS", "ORANGE", "PAGE", "PURPLE", "SERIES", "SKY", "VERMILLION", "YELLOW",
    "Drawing", "Style", "current", "quiet", "style", "text_width_in",
]  # fmt: skip

_FONTS = "'DejaVu Sans', Verdana, 'Segoe UI', Arial, sans-serif"
_POINTS_PER_INCH = 72
_LINE = 1.6  # height of a line of text, over its font size
_LEGEND_PAD_PT = 34  # handle, its gap and the gap between columns


class Drawing:
    """Drawn within ``style()``: ``panels`` axes (``axes[i]``) in as many columns as the style's width allows.

    ``panel_in`` is the least width of a panel; ``height_in`` that of each row of panels (a number, or one for each row; at a 9 pt font,
    and scaled with the font). Axes that are left over in the last row are taken away.
    """

    def __init__(
        self, panels: int = 1, panel_in: float = 3.0, height_in: float | Sequence[float] = 3.0, columns: int | None = None,
        **layout: Any,
    ) -> None:  # fmt: skip
        self.style = current()
        scale = self.style.font_pt / PAGE.font_pt
        fitting = max(1, int(self.style.width_in / (panel_in * scale) + 1e-9))
        self.columns = min(panels, fitting, columns or panels)
        self.rows = math.ceil(panels / self.columns)
        heights = [height_in] * self.rows if isinstance(height_in, int | float) else list(height_in)
        self.figure = Figure(figsize=(self.style.width_in, sum(heights) * scale), layout="constrained")
        FigureCanvasAgg(self.figure)
        grid = self.figure.subplots(
            self.rows, self.columns, squeeze=False, gridspec_kw={"height_ratios": heights}, **layout
        )  # fmt: skip
        self.axes: list[Axes] = grid.ravel().tolist()[:panels]
        for spare in grid.ravel().tolist()[panels:]:
            spare.remove()
        self.panel_width_in = self.style.width_in / self.columns
        self.row_heights_in = [height * scale for height in heights]
        self._tall_titles: set[int] = set()
        self.tips: list[str] = []

    def column_of(self, panel: int) -> int:
        """Column that a panel stands in, from 0."""
        return panel % self.columns

    def tip(self, artist: Any, text: str) -> None:
        """Show ``text`` when ``artist`` is pointed at."""
        artist.set_gid(f"tip{len(self.tips)}")
        self.tips.append(text)

    def title(self, axes: Axes, text: str) -> None:
        """Title of a panel, broken into lines that fit its width."""
        size = self.style.font_pt + 0.5
        per_character = text_width_in("n" * 20, size) / 20 * 1.12
        room = int((self.panel_width_in - 0.75) / per_character)
        lines = textwrap.wrap(text, max(12, room), break_long_words=True)
        axes.set_title("\n".join(lines), fontsize=size, loc="left")
        row = self.axes.index(axes) // self.columns
        if len(lines) > 1 and row not in self._tall_titles:
            self._tall_titles.add(row)
            self._grow((len(lines) - 1) * size * _LINE / _POINTS_PER_INCH)

    def legend(self, handles: Iterable[Any] | None = None) -> None:
        """One legend for the whole figure, above it, in as many columns as fit; from the first axes if no ``handles`` are given."""
        if handles is None:
            handles, _ = self.axes[0].get_legend_handles_labels()
        shown = list(handles)
        size = self.style.font_pt - 1
        widest = max((text_width_in(str(handle.get_label()), size) for handle in shown), default=0.0)
        column_in = widest + _LEGEND_PAD_PT * (size / 8) / _POINTS_PER_INCH
        columns = max(1, min(len(shown), int((self.style.width_in - 0.2) / column_in)))
        self.figure.legend(handles=shown, loc="outside upper center", ncols=columns, fontsize=size)
        self._grow((math.ceil(len(shown) / columns) * size * _LINE + size) / _POINTS_PER_INCH)

    def _grow(self, by_in: float) -> None:
        self.figure.set_figheight(self.figure.get_figheight() + by_in)

    def save(self, folder: Path, name: str, formats: Iterable[str] = ("png", "svg")) -> None:
        """Write ``name.FORMAT`` on white: png, svg (text as text) or pdf."""
        with style(self.style):
            for form in formats:
                if form == "svg":
                    start = self.svg.index(">", self.svg.index("<svg")) + 1
                    white = '<rect width="100%" height="100%" fill="#ffffff"/>'
                    (folder / f"{name}.svg").write_text(self.svg[:start] + white + self.svg[start:], encoding="utf-8")
                else:
                    metadata = {"Software": None} if form == "png" else {"CreationDate": None}
                    self.figure.savefig(folder / f"{name}.{form}", dpi=self.style.dpi, facecolor="white", metadata=metadata)

    @cached_property
    def svg(self) -> str:
        """The figure as an SVG file without background."""
        buffer = io.StringIO()
        with style(self.style):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return buffer.getvalue().replace("'DejaVu Sans'", _FONTS)

    def inline_svg(self, name: str, title: str) -> str:
        """SVG element for a page: in the page's colours, ids of its own, ``title`` for screen readers, marks with their tips."""
        svg = self.svg[self.svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1)
        svg = svg.replace(INK, "currentColor").replace(GRID, "var(--grid)").replace(PAPER, "var(--back)")
        svg = re.sub(r'(id=|xlink:href=|url\()"?(#?)([\w-]+)', lambda m: _own_id(m, name), svg)
        svg = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d+\.\d\d)\d+", r"\1", tag[0]), svg)
        svg = _compact(svg, name)
        svg = svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(title, quote=True)}" tabindex="0"', 1)
        return re.sub(rf'<g id="{name}-tip(\d+)">', self._with_tip, svg)

    def _with_tip(self, found: re.Match[str]) -> str:
        return f'<g class="tip" data-tip="{html.escape(self.tips[int(found[1])], quote=True)}">'


def _compact(svg: str, name: str) -> str:
    """The same picture in fewer bytes: without comments and indentation, and with each style that recurs written once."""
    svg = re.sub(r">\s+<", "><", re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL))
    styles = Counter(re.findall(r' style="([^"]*)"', svg))
    recurring = {text: f"{name}-s{number}" for number, (text, count) in enumerate(styles.items()) if count > 2}
    svg = re.sub(r' style="([^"]*)"', lambda found: f' class="{recurring[found[1]]}"' if found[1] in recurring else found[0], svg)
    rules = "".join(f".{key}{{{text}}}" for text, key in recurring.items())
    end_of_tag = svg.index(">") + 1
    return f"{svg[:end_of_tag]}<style>{rules}</style>{svg[end_of_tag:]}"


def text_width_in(text: str, size_pt: float) -> float:
    """Width of a line of text in inches."""
    if not text.strip():
        return 0.0
    path = TextPath((0, 0), text, size=size_pt, prop=FontProperties(family="DejaVu Sans"), usetex=False)
    return float(path.get_extents().width) / _POINTS_PER_INCH


def _own_id(found: re.Match[str], name: str) -> str:
    attribute, hash_sign, identifier = found.groups()
    quote = "" if attribute == "url(" else '"'
    if attribute == "xlink:href=" and not hash_sign:
        return found[0]
    return f"{attribute}{quote}{hash_sign}{name}-{identifier}"


def quiet(axes: Axes, reason: str) -> None:
    """Say in the middle of empty ``axes`` why nothing is drawn."""
    axes.text(0.5, 0.5, reason, ha="center", va="center", transform=axes.transAxes, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
