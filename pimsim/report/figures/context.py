"""Token latency against context length."""

from __future__ import annotations

from matplotlib.ticker import MaxNLocator

from pimsim.report.data import ReportData
from pimsim.report.drawing import MARKERS, SERIES, Drawing
from pimsim.report.figures.plot import Plot
from pimsim.report.figures.scales import log_scale

_MARKS = 8
_LINE_POINTS = 260


def draw_context(data: ReportData) -> Drawing:
    """A panel for each hardware, a line for each workload through the generated tokens."""
    frame = data.context
    hardware, models = list(frame.hardware.unique()), list(dict.fromkeys(frame.workload))
    drawing = Drawing(len(hardware), 3.1, 3.3)
    for panel, (name, axes) in enumerate(zip(hardware, drawing.axes, strict=True)):
        for index, model in enumerate(models):
            part = frame[(frame.hardware == name) & (frame.workload == model)]
            colour, marker = SERIES[index % len(SERIES)], MARKERS[(index + index // len(SERIES)) % len(MARKERS)]
            line = part.iloc[:: max(1, len(part) // _LINE_POINTS)]
            axes.plot(line.context_tokens, line.ms_per_token, color=colour, linewidth=1.1)
            axes.plot([], [], color=colour, marker=marker, label=model)
            for row in part.iloc[:: max(1, len(part) // _MARKS)].to_dict("records"):
                (mark,) = axes.plot(row["context_tokens"], row["ms_per_token"], marker, color=colour)
                drawing.tip(mark, f"{model} on {name}, context {row['context_tokens']}: {row['ms_per_token']:.4g} ms")
        log_scale(axes, "y", frame.ms_per_token.min(), frame.ms_per_token.max())
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        drawing.title(axes, name)
        axes.set_xlabel("context [tokens]")
        if drawing.column_of(panel) == 0:
            axes.set_ylabel("latency of the token [ms] (log)")
    drawing.legend()
    return drawing


TOKEN_LATENCY = Plot(
    "token_latency",
    "Token latency against context",
    "Every generated token is simulated with its own context; the ripple is refresh. The CSV has every token.",
    lambda data: data.context,
    draw_context,
)
