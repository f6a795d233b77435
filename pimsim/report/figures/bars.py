"""Speedup and energy-efficiency bars over models: ideal roofline, modelled stacks with error bars, measured points."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from pimsim.report.comparison_table import IDEAL, MEASURED, METHODS
from pimsim.report.data import ReportData
from pimsim.report.drawing import GREEN, GREY, INK, ORANGE, SKY, Drawing, quiet
from pimsim.report.figures.plot import Plot

_COLOURS = dict(zip(METHODS, (GREY, GREEN, SKY, ORANGE, INK), strict=True))
_WIDTH = 0.2


def draw_ratio(data: ReportData, value: str, axis: str) -> Drawing:
    """Panels (baseline, hardware) of bars of ``value`` with its ``_low`` and ``_high`` as error bars."""
    table = data.comparison
    baselines, hardware = list(table.baseline.unique()), list(table.hardware.unique())
    models = list(dict.fromkeys(table.workload))
    width = max(3.6, 0.62 * len(models) + 1)
    drawing = Drawing(len(baselines), len(hardware), width, 2.5, sharex=True, sharey="row")
    for r, baseline in enumerate(baselines):
        for c, name in enumerate(hardware):
            part = table[(table.baseline == baseline) & (table.hardware == name)]
            axes = drawing.axes[r][c]
            axes.set_title(f"{name} against {baseline}")
            _panel(drawing, axes, part.dropna(subset=[value]), models, value)
            if c == 0:
                axes.set_ylabel(f"{axis} [x]")
    handles = {h.get_label(): h for row in drawing.axes for axes in row for h in axes.get_legend_handles_labels()[0]}
    drawing.legend([handles[method] for method in METHODS if method in handles])
    return drawing


def _panel(drawing: Drawing, axes: Axes, part: pd.DataFrame, models: list[str], value: str) -> None:
    if part.empty:
        quiet(axes, "no model fits")
        return
    axes.set_yscale("log")
    axes.set_xticks(range(len(models)), models, rotation=35, ha="right", rotation_mode="anchor")
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    for index, method in enumerate(METHODS[:-1]):
        rows = part[part.method == method]
        at = [models.index(name) + (index - 1.5) * _WIDTH for name in rows.workload]
        bars = axes.bar(at, rows[value], _WIDTH, color=_COLOURS[method], label=method)
        shown = method != IDEAL or value != "speedup"
        if shown and len(rows):
            error = [rows[value] - rows[f"{value}_low"], rows[f"{value}_high"] - rows[value]]
            axes.errorbar(at, rows[value], error, fmt="none", ecolor=INK, elinewidth=0.9, capsize=1.8)
        for bar, row in zip(bars, rows.to_dict("records"), strict=True):
            drawing.tip(bar, _tip(row, value))
    for row in part[part.method == MEASURED].to_dict("records"):
        point = axes.plot(models.index(row["workload"]), row[value], "D", color=INK, markersize=5, label=MEASURED)
        drawing.tip(point[0], _tip(row, value))


def _tip(row: Mapping[Hashable, Any], value: str) -> str:
    text = f"{row['workload']} on {row['hardware']} against {row['baseline']}, {row['how']}: {row[value]:.3g}x"
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
    "Bars are nominal constants; error bars take low baseline with high PIM constants and the reverse, TDP at the upper end.",
    partial(_ratio_table, value="energy_gain", seen="energy_j"),
    partial(draw_ratio, value="energy_gain", axis="energy ratio"),
)
