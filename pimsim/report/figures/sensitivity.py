"""Latency against one parameter at a time."""

from __future__ import annotations

from pimsim.report.data import ReportData
from pimsim.report.drawing import INK, MARKERS, SERIES, Drawing, quiet
from pimsim.report.figures.plot import Plot
from pimsim.report.figures.scales import log_scale


def draw_sensitivity(data: ReportData) -> Drawing:
    """A panel for each hardware, a line for each parameter."""
    frame = data.sensitivity.dropna(subset=["relative_latency"])
    hardware = list(dict.fromkeys(run.hardware for run in data.runs))
    drawing = Drawing(len(hardware), 3.1, 3.2)
    for panel, (name, axes) in enumerate(zip(hardware, drawing.axes, strict=True)):
        drawing.title(axes, name)
        own = frame[frame.hardware == name]
        if own.empty:
            quiet(axes, "not simulated")
            continue
        for index, (parameter, part) in enumerate(own.groupby("parameter", sort=True)):
            colour, marker = SERIES[index], MARKERS[index]
            axes.plot(part.factor, part.relative_latency, color=colour, linewidth=1.3)
            axes.plot([], [], color=colour, marker=marker, label=str(parameter))
            for row in part.to_dict("records"):
                (mark,) = axes.plot(row["factor"], row["relative_latency"], marker, color=colour)
                drawing.tip(mark, f"{row['path']} = {row['value']:g} on {name}: {row['relative_latency']:.3f} x the latency")
        axes.set_xscale("log", base=2)
        ticks = sorted(frame.factor.unique())
        axes.set_xticks(ticks, [f"{factor:g}x" for factor in ticks])
        log_scale(axes, "y", frame.relative_latency.min(), frame.relative_latency.max(), "x")
        axes.axhline(1, color=INK, linewidth=0.7, linestyle=":")
        axes.set_xlabel("parameter over its own value (log)")
        if drawing.column_of(panel) == 0:
            axes.set_ylabel("latency over nominal (log)")
    handles = {h.get_label(): h for axes in drawing.axes for h in axes.get_legend_handles_labels()[0]}
    drawing.legend(handles.values())
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
