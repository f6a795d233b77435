"""The figures of a report, in the order they are shown. Adding one is a file here and a line in this registry."""

from __future__ import annotations

from pimsim.report.figures import context, ratios, roofline, sensitivity, stacks, timeline
from pimsim.report.figures.plot import Plot

FIGURES: tuple[Plot, ...] = (
    ratios.SPEEDUP,
    ratios.ENERGY_EFFICIENCY,
    stacks.LATENCY_BY_OP,
    stacks.LATENCY_BY_CAUSE,
    stacks.ENERGY,
    context.TOKEN_LATENCY,
    roofline.ROOFLINE,
    sensitivity.SENSITIVITY,
    timeline.TIMELINE,
)
