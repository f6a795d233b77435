"""Roofline plot with every operation of PIM, GPU and CPU."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pimsim.report.data import ReportData
from pimsim.report.drawing import INK, SERIES, Drawing
from pimsim.report.figures.plot import Plot

_SHAPES = {"matrix product": "o", "attention product": "^", "element-wise": "s"}


def roofline_table(data: ReportData) -> pd.DataFrame:
    """Points of operations; roofs are rows with kind ``roof``, their bandwidth in flop_per_byte's ridge."""
    roofs = data.roofs.rename(columns={"peak_gflop_per_s": "gflop_per_s"})
    ridge = roofs.gflop_per_s / roofs.gb_per_s
    return pd.concat([data.points, roofs.assign(op="", kind="roof", flop_per_byte=ridge)], ignore_index=True)


def draw_roofline(data: ReportData) -> Drawing:
    """One panel: a roof and a colour for each device, a marker for each kind of operation."""
    drawing = Drawing(1, 1, 7.4, 4.8)
    axes = drawing.axes[0][0]
    left, right = data.points.flop_per_byte.min() / 2, max(200.0, data.points.flop_per_byte.max() * 2)
    x = np.geomspace(left, right, 200)
    handles = []
    for roof, colour in zip(data.roofs.to_dict("records"), _colours(len(data.roofs)), strict=True):
        name = roof["device"]
        (line,) = axes.plot(x, np.minimum(roof["peak_gflop_per_s"], roof["gb_per_s"] * x), color=colour, label=name)
        drawing.tip(line, f"{name}: {roof['peak_gflop_per_s']:,.0f} GFLOP/s, {roof['gb_per_s']:,.0f} GB/s")
        handles.append(line)
        for row in data.points[data.points.device == name].to_dict("records"):
            (point,) = axes.plot(
                row["flop_per_byte"], row["gflop_per_s"], _SHAPES[row["kind"]], color=colour, markersize=6.5,
                markeredgecolor=INK, markeredgewidth=0.4, alpha=0.9,
            )  # fmt: skip
            drawing.tip(
                point,
                f"{row['op']} on {name}: {row['flop_per_byte']:.3g} FLOP/B, {row['gflop_per_s']:,.4g} GFLOP/s, "
                f"{row['time_s'] * 1e6:.4g} us a token",
            )
    handles += [axes.plot([], [], shape, color=INK, label=kind)[0] for kind, shape in _SHAPES.items()]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=data.points.gflop_per_s.min() / 2)
    axes.grid(True, axis="both")
    axes.set_xlabel("operational intensity [FLOP/B of weights, K/V and activations]")
    axes.set_ylabel("arithmetic [GFLOP/s]")
    drawing.legend(handles, columns=4)
    return drawing


def _colours(count: int) -> list[str]:
    return [SERIES[index % len(SERIES)] for index in range(count)]


ROOFLINE = Plot(
    "roofline",
    "Roofline",
    "Every operation of a mean step of {focus}. A PIM roof is the MAC units' arithmetic and the bandwidth of all banks' columns "
    "into them; its points are times on the critical path. GPU and CPU points are the compiled stack's model without the host.",
    roofline_table,
    draw_roofline,
    "roofline",
)
