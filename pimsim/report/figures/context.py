"""Token latency against context length."""

from __future__ import annotations

from pimsim.report.data import ReportData
from pimsim.report.drawing import MARKERS, SERIES, Drawing
from pimsim.report.figures.plot import Plot

_MARKS = 12


def draw_context(data: ReportData) -> Drawing:
    """A panel for each hardware, a line for each workload through every generated token."""
    frame = data.context
    hardware, models = list(frame.hardware.unique()), list(dict.fromkeys(frame.workload))
    drawing = Drawing(1, len(hardware), 5.0, 3.6, sharey=True)
    for name, axes in zip(hardware, drawing.axes[0], strict=True):
        for index, model in enumerate(models):
            part = frame[(frame.hardware == name) & (frame.workload == model)]
            colour, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
            axes.plot(part.context_tokens, part.ms_per_token, color=colour, linewidth=1.2)
            axes.plot([], [], color=colour, marker=marker, markersize=5, label=model)
            for row in part.iloc[:: max(1, len(part) // _MARKS)].to_dict("records"):
                (mark,) = axes.plot(row["context_tokens"], row["ms_per_token"], marker, color=colour, markersize=5)
                drawing.tip(mark, f"{model} on {name}, context {row['context_tokens']}: {row['ms_per_token']:.4g} ms per token")
        axes.set_yscale("log")
        axes.set_title(name)
        axes.set_xlabel("context [tokens]")
    drawing.axes[0][0].set_ylabel("token latency [ms]")
    drawing.legend(columns=4)
    return drawing


TOKEN_LATENCY = Plot(
    "token_latency",
    "Token latency against context",
    "Every generated token is simulated with its own context; the ripple is refresh.",
    lambda data: data.context,
    draw_context,
)
