"""Speedup and energy ratio over baselines: ideal roofline, modelled stacks with their range, measured points."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from pimsim.report.comparison_table import IDEAL, METHODS
from pimsim.report.data import ReportData
from pimsim.report.drawing import GREEN, GREY, INK, ORANGE, SKY, Drawing, quiet
from pimsim.report.figures.plot import Plot
from pimsim.report.figures.scales import log_scale

_COLOURS = dict(zip(METHODS, (GREY, GREEN, SKY, ORANGE, INK), strict=True))
_SHAPES = dict(zip(METHODS, "o^sD*", strict=True))
_MANY = 12


def draw_ratio(data: ReportData, value: str, axis: str) -> Drawing:
    """A panel for each pair of baseline and hardware; in it a line for each workload, with a point and its range for each method."""
    table = data.comparison
    pairs = [(baseline, name) for baseline in table.baseline.unique() for name in table.hardware.unique()]
    models = list(dict.fromkeys(table.workload))
    line_in = 0.36 if len(models) <= _MANY else 0.24
    drawing = Drawing(len(pairs), 3.0, 0.95 + line_in * len(models))
    shown = table.dropna(subset=[value])
    ends = shown[[value, f"{value}_low", f"{value}_high"]]
    for panel, (axes, (baseline, name)) in enumerate(zip(drawing.axes, pairs, strict=True)):
        part = shown[(shown.baseline == baseline) & (shown.hardware == name)]
        drawing.title(axes, f"{name} over {baseline}")
        if part.empty:
            quiet(axes, "no model fits")
            continue
        draw_points(drawing, axes, part, models, value)
        log_scale(axes, "x", min(1.0, ends.min().min()), max(1.0, ends.max().max()), "x", most=6)
        axes.set_yticks(range(len(models)), models if drawing.column_of(panel) == 0 else [""] * len(models))
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_xlabel(f"{axis} (log)")
    handles = {h.get_label(): h for axes in drawing.axes for h in axes.get_legend_handles_labels()[0]}
    drawing.legend([handles[method] for method in METHODS if method in handles])
    return drawing


def draw_points(drawing: Drawing, axes: Axes, part: pd.DataFrame, models: list[str], value: str) -> None:
    """A point and its range for each method of each of ``models`` (rows from 0), and a line at 1x."""
    axes.axvline(1, color=INK, linewidth=0.9, linestyle=":")
    for index, method in enumerate(METHODS):
        offset = (index - (len(METHODS) - 1) / 2) * 0.16
        for row in part[part.method == method].to_dict("records"):
            at, low, high = models.index(row["workload"]) + offset, row[f"{value}_low"], row[f"{value}_high"]
            if high > low and not (method == IDEAL and value == "speedup"):
                axes.plot([low, high], [at, at], color=_COLOURS[method], linewidth=1.4, solid_capstyle="butt")
            (point,) = axes.plot(
                row[value], at, _SHAPES[method], color=_COLOURS[method], markeredgecolor=INK, markeredgewidth=0.4, label=method,
                linestyle="none",
            )  # fmt: skip
            drawing.tip(point, _tip(row, value))


def _tip(row: Mapping[Hashable, Any], value: str) -> str:
    text = f"{row['workload']} on {row['hardware']} over {row['baseline']}, {row['method']} ({row['how']}): {row[value]:.3g}x"
    low, high = row[f"{value}_low"], row[f"{value}_high"]
    return text + (f" ({low:.3g} to {high:.3g})" if low != high else "")


def _ratio_table(data: ReportData, value: str, seen: str) -> pd.DataFrame:
    columns = ["hardware", "workload", "baseline", "method", "how", f"pim_{seen}", f"baseline_{seen}"]
    return data.comparison[[*columns, value, f"{value}_low", f"{value}_high"]].dropna(subset=[value])


SPEEDUP = Plot(
    "speedup",
    "Speedup",
    "Latency of the whole request on the baseline over that on PIM. The ideal roofline is a bound no software reaches; modelled "
    "stacks carry the range of measured / predicted seen when a source is left out of the calibration; measured points are "
    "mean times per token as published, at their own lengths, of the model or of one with the same layers (the CSV names it).",
    partial(_ratio_table, value="speedup", seen="token_latency_s"),
    partial(draw_ratio, value="speedup", axis="speedup"),
)
ENERGY_EFFICIENCY = Plot(
    "energy_efficiency",
    "Energy efficiency",
    "Energy of the request on the baseline (board, package or module) over that on PIM (DRAM, MAC units, link and ASIC; no host). "
    "Points are nominal constants; ranges take low baseline with high PIM constants and the reverse, TDP at the upper end.",
    partial(_ratio_table, value="energy_gain", seen="energy_j"),
    partial(draw_ratio, value="energy_gain", axis="energy ratio"),
)
