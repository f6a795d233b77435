"""Stacked bars over models: latency by operation, latency by cause, energy by term."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from pimsim.dram.commands import CAUSES
from pimsim.report.breakdown import ENERGY_GROUPS, OP_GROUPS
from pimsim.report.data import ReportData
from pimsim.report.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILLION, YELLOW, Drawing
from pimsim.report.figures.plot import Plot

_OP_COLOURS = (BLUE, SKY, GREEN, YELLOW, ORANGE, VERMILLION, PURPLE, GREY)
_CAUSE_COLOURS = (GREEN, VERMILLION, SKY, BLUE, ORANGE, YELLOW, PURPLE, GREY, "#5B4B8A", "#C9CDD3")
_ENERGY_COLOURS = (BLUE, ORANGE, GREEN, YELLOW, VERMILLION, PURPLE, GREY, SKY)
_MANY = 12


def draw_shares(
    data: ReportData, table: str, value: str, unit: str, axis: str, groups: Sequence[str], colours: Sequence[str]
) -> Drawing:
    """A panel for each hardware; a bar of 100 % for each workload with its total in ``unit`` at its end."""
    frame: pd.DataFrame = getattr(data, table)
    hardware, models = list(frame.hardware.unique()), list(dict.fromkeys(frame.workload))
    line_in = 0.3 if len(models) <= _MANY else 0.21
    drawing = Drawing(len(hardware), 3.1, 0.95 + line_in * len(models))
    for panel, (name, axes) in enumerate(zip(hardware, drawing.axes, strict=True)):
        part = frame[frame.hardware == name].groupby(["workload", "group"], sort=False)[value].sum().unstack(fill_value=0.0)
        part = part.reindex(index=models, columns=list(groups), fill_value=0.0)
        total = part.sum(axis=1)
        base = pd.Series(0.0, index=part.index)
        for group, colour in zip(groups, colours, strict=True):
            share = (part[group] / total * 100).fillna(0.0)
            bars = axes.barh(range(len(models)), share, 0.74, left=base, color=colour, label=group, edgecolor=INK, linewidth=0.25)
            for bar, model in zip(bars, part.index, strict=True):
                drawing.tip(bar, f"{model} on {name}, {group}: {part[group][model]:.4g} {unit} ({share[model]:.1f} %)")
            base += share
        for position, model in enumerate(models):
            text = f"{total[model]:.3g}" if total[model] else "not run"
            axes.text(101.5, position, text, ha="left", va="center", fontsize=drawing.style.font_pt - 1)
        drawing.title(axes, f"{name} (right: {unit})")
        axes.set_xlim(0, 100)
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_yticks(range(len(models)), models if drawing.column_of(panel) == 0 else [""] * len(models))
        axes.set_xticks([0, 25, 50, 75, 100])
        axes.set_xlabel(f"{axis} [%]")
        axes.grid(False)
    drawing.legend()
    return drawing


LATENCY_BY_OP = Plot(
    "latency_by_op",
    "Latency by operation",
    "Time of each operation on the critical path. The parts sum to the latency exactly; matrix products include loading the "
    "vector, reading results and adding partial sums.",
    lambda data: data.ops,
    partial(
        draw_shares, table="ops", value="ms_per_token", unit="ms per token", axis="share of latency",
        groups=tuple(OP_GROUPS), colours=_OP_COLOURS,
    ),
)  # fmt: skip
LATENCY_BY_CAUSE = Plot(
    "latency_by_cause",
    "Latency by cause",
    "What the channels' cycles were spent on, mean over channels; every cycle has one cause. row_switch is the part of "
    "precharge and activation that nothing hides.",
    lambda data: data.causes,
    partial(
        draw_shares, table="causes", value="ms_per_token", unit="ms per token", axis="share of cycles",
        groups=CAUSES, colours=_CAUSE_COLOURS,
    ),
)  # fmt: skip
ENERGY = Plot(
    "energy",
    "Energy by term",
    "Nominal energy of DRAM, MAC units, link and ASIC. The table has the low and the high end of every term.",
    lambda data: data.energy,
    partial(
        draw_shares, table="energy", value="mj_per_token", unit="mJ per token", axis="share of energy",
        groups=tuple(ENERGY_GROUPS), colours=_ENERGY_COLOURS,
    ),
)  # fmt: skip
