"""Latency against one parameter at a time."""

from __future__ import annotations

from pimsim.report.data import ReportData
from pimsim.report.drawing import INK, MARKERS, SERIES, Drawing
from pimsim.report.figures.plot import Plot


def draw_sensitivity(data: ReportData) -> Drawing:
    """A panel for each hardware, a line for each parameter."""
    frame = data.sensitivity.dropna(subset=["relative_latency"])
    hardware = list(dict.fromkeys(run.hardware for run in data.runs))
    drawing = Drawing(1, len(hardware), 5.0, 3.4, sharey=True)
    for name, axes in zip(hardware, drawing.axes[0], strict=True):
        for index, (parameter, part) in enumerate(frame[frame.hardware == name].groupby("parameter", sort=True)):
            colour, marker = SERIES[index], MARKERS[index]
            axes.plot(part.factor, part.relative_latency, color=colour, linewidth=1.3)
            axes.plot([], [], color=colour, marker=marker, markersize=5, label=str(parameter))
            for row in part.to_dict("records"):
                (mark,) = axes.plot(row["factor"], row["relative_latency"], marker, color=colour, markersize=5)
                drawing.tip(mark, f"{row['path']} = {row['value']:g} on {name}: {row['relative_latency']:.3f} x the latency")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        ticks = sorted(frame.factor.unique())
        axes.set_xticks(ticks, [f"{factor:g}x" for factor in ticks])
        heights = [
            h for h in (0.25, 0.5, 1, 2, 4, 8, 16) if frame.relative_latency.min() / 1.5 < h < frame.relative_latency.max() * 1.5
        ]
        axes.set_yticks(heights, [f"{height:g}x" for height in heights])
        axes.axhline(1, color=INK, linewidth=0.7, linestyle=":")
        axes.set_title(name)
        axes.set_xlabel("parameter over its own value")
    drawing.axes[0][0].set_ylabel("latency over nominal")
    drawing.legend(columns=5)
    return drawing


SENSITIVITY = Plot(
    "sensitivity",
    "Sensitivity",
    "Latency of {focus}, with one parameter multiplied at a time. Points at which the model does not fit, or no device comes "
    "out, are left out and named in the CSV.",
    lambda data: data.sensitivity,
    draw_sensitivity,
    "sensitivity",
)
