"""Roofline plot of every operation: a panel for each PIM device, GPU and CPU, each point named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pimsim.report.data import ReportData
from pimsim.report.drawing import BLUE, GREEN, INK, ORANGE, Drawing
from pimsim.report.figures.plot import Plot
from pimsim.report.figures.scales import log_scale

_KINDS = {"matrix product": ("o", BLUE), "attention product": ("^", ORANGE), "element-wise": ("s", GREEN)}
_LINE = 1.3  # height of a name, over its font size
_AROUND_LINES = 7.0  # of a panel's height, in font sizes: title, numbers and name of the axis
_NAMES_AT = 1.03  # where the names begin, over the width of the panel
_SAME = 1.03  # points closer than this factor in both directions share a label


def roofline_table(data: ReportData) -> pd.DataFrame:
    """Points of operations; roofs are rows with kind ``roof``, their bandwidth in flop_per_byte's ridge."""
    roofs = data.roofs.rename(columns={"peak_gflop_per_s": "gflop_per_s"})
    ridge = roofs.gflop_per_s / roofs.gb_per_s
    return pd.concat([data.points, roofs.assign(op="", kind="roof", flop_per_byte=ridge)], ignore_index=True)


def draw_roofline(data: ReportData) -> Drawing:
    """A panel for each device: its roof, and its operations with their names beside the panel."""
    points = data.points
    devices = [row for row in data.roofs.to_dict("records") if (points.device == row["device"]).any()]
    labels = max(len(_groups(points[points.device == row["device"]].to_dict("records"))) for row in devices)
    drawing = Drawing(len(devices), 3.3, max(3.0, 1.0 + 0.15 * labels))
    x_ends = points.flop_per_byte.min() / 2, max(64.0, points.flop_per_byte.max() * 2)
    highest = min(row["gb_per_s"] for row in devices) * x_ends[1]
    y_ends = points.gflop_per_s.min() / 2, max(points.gflop_per_s.max() * 2, highest)
    for panel, (axes, roof) in enumerate(zip(drawing.axes, devices, strict=True)):
        log_scale(axes, "x", *x_ends, most=5)
        log_scale(axes, "y", *y_ends, most=7)
        _panel(drawing, axes, roof, points[points.device == roof["device"]].to_dict("records"))
        drawing.title(axes, str(roof["device"]))
        axes.set_xlabel("operational intensity [FLOP/B] (log)")
        if drawing.column_of(panel) == 0:
            axes.set_ylabel("arithmetic [GFLOP/s] (log)")
    drawing.legend([drawing.axes[0].plot([], [], shape, color=colour, label=kind)[0] for kind, (shape, colour) in _KINDS.items()])
    return drawing


def _panel(drawing: Drawing, axes: Axes, roof: dict[Any, Any], rows: list[dict[Any, Any]]) -> None:
    x = np.geomspace(*axes.get_xlim(), 60)
    (line,) = axes.plot(x, np.minimum(roof["peak_gflop_per_s"], roof["gb_per_s"] * x), color=INK, linewidth=1.2)
    drawing.tip(line, f"{roof['device']}: {roof['peak_gflop_per_s']:,.0f} GFLOP/s, {roof['gb_per_s']:,.0f} GB/s")
    for row in rows:
        shape, colour = _KINDS[row["kind"]]
        (point,) = axes.plot(
            row["flop_per_byte"], row["gflop_per_s"], shape, color=colour, markeredgecolor=INK, markeredgewidth=0.4,
        )  # fmt: skip
        drawing.tip(
            point,
            f"{row['op']} on {roof['device']}: {row['flop_per_byte']:.3g} FLOP/B, {row['gflop_per_s']:,.4g} GFLOP/s, "
            f"{row['time_s'] * 1e6:.4g} us a token",
        )
    _name_points(drawing, axes, rows)


def _name_points(drawing: Drawing, axes: Axes, rows: list[dict[Any, Any]]) -> None:
    """Names in a column right of the panel, in the order of height, each joined to its point by a thin line."""
    groups = _groups(rows)
    (x_low, x_high), (low, high) = np.log(axes.get_xlim()), np.log(axes.get_ylim())
    heights = [(np.log(group[0]["gflop_per_s"]) - low) / (high - low) for group in groups]
    size = drawing.style.font_pt - 2
    panel_pt = 72 * drawing.row_heights_in[0] - _AROUND_LINES * drawing.style.font_pt
    for group, height in zip(groups, spread(heights, size * _LINE / panel_pt), strict=True):
        x, y = group[0]["flop_per_byte"], group[0]["gflop_per_s"]
        end = np.exp(x_low + _NAMES_AT * (x_high - x_low)), np.exp(low + height * (high - low))
        axes.plot([x, end[0]], [y, end[1]], color=INK, linewidth=0.35, alpha=0.7, clip_on=False, zorder=1.5)
        axes.text(*end, " " + ", ".join(row["op"] for row in group), va="center", ha="left", fontsize=size)


def _groups(rows: list[dict[Any, Any]]) -> list[list[dict[Any, Any]]]:
    """Rows from low to high; those at the same place together."""
    found: list[list[dict[Any, Any]]] = []
    for row in sorted(rows, key=lambda row: (row["gflop_per_s"], row["flop_per_byte"])):
        near = found and all(
            max(row[key], found[-1][0][key]) / min(row[key], found[-1][0][key]) < _SAME
            for key in ("gflop_per_s", "flop_per_byte")
        )
        if near and len(found[-1]) < 3:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending ``heights``, moved as little as needed so that neighbours are ``gap`` apart and all lie between 0 and 1 if they can."""
    gap = min(gap, 1 / max(1, len(heights) - 1))
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + gap if places else 0.0))
    limit = 1.0
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - gap
    return places


ROOFLINE = Plot(
    "roofline",
    "Roofline",
    "Every operation of a mean step of {focus}. A PIM roof is the MAC units' arithmetic and the bandwidth of all banks' columns "
    "into them; its points are times on the critical path. GPU and CPU points are the compiled stack's model without the host.",
    roofline_table,
    draw_roofline,
    "roofline",
)
