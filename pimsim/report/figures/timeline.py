"""Bank activity during one layer of one token: the whole layer by operation, and the banks of a channel in close-up."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from pimsim.report.data import ReportData
from pimsim.report.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILLION, YELLOW, Drawing, text_width_in
from pimsim.report.figures.plot import Plot

_KINDS = {
    "MAC_AB": ("multiply-accumulate", GREEN), "ACT_AB": ("activate", ORANGE), "ACT": ("activate", ORANGE),
    "PREab": ("precharge", VERMILLION), "PREpb": ("precharge", VERMILLION), "WR_GB": ("global buffer, bias", SKY),
    "WR_BIAS": ("global buffer, bias", SKY), "RD_MAC": ("read accumulators", BLUE), "RD": ("read", PURPLE),
    "WR": ("write", YELLOW), "REFab": ("refresh", GREY), "REFpb": ("refresh", GREY),
}  # fmt: skip
_ALTERNATING = ("#B7C6DA", "#8CA3C3")
_OTHER = ("other", "#5B4B8A")
_UNITS = {"link": "link", "asic": "ASIC", "op": "PIM"}
_CLOSE_UP = 0.06  # part of the layer that the lower panel shows


def draw_timeline(data: ReportData) -> Drawing:
    """Upper panel: operations on PIM, ASIC and link. Lower panel: the banks of channel 0 during a small part."""
    frame = data.timeline
    end = frame.end_ns.max()
    drawing = Drawing(2, 3.0, (1.7, 2.6), columns=1)
    layer, close_up = drawing.axes
    _operations(drawing, layer, frame[frame.unit != "channel"])
    bursts = frame[frame.unit == "channel"]
    begin = _interesting(bursts, end)
    span = _CLOSE_UP * end
    layer.axvspan(begin / 1000, (begin + span) / 1000, color=GREY, alpha=0.3, linewidth=0)
    layer.set_xlim(0, end / 1000)
    _banks(drawing, close_up, bursts, begin, begin + span)
    used = [_KINDS.get(name, _OTHER) for name in bursts.name.unique()]
    drawing.legend([Patch(color=colour, label=text) for text, colour in dict(used).items()])
    return drawing


def _operations(drawing: Drawing, axes: Axes, frame: pd.DataFrame) -> None:
    units = [unit for unit in _UNITS if (frame.unit == unit).any()]
    rows = {unit: row for row, unit in enumerate(units)}
    axes.set_yticks(range(len(units)), [_UNITS[unit] for unit in units])
    axes.set_ylim(-0.6, len(units) - 0.3)
    axes.grid(False)
    names = list(dict.fromkeys(frame.name))
    width, size = frame.end_ns.max(), drawing.style.font_pt - 2
    for row in frame.to_dict("records"):
        start, length = row["start_ns"] / 1000, (row["end_ns"] - row["start_ns"]) / 1000
        colour = _ALTERNATING[names.index(row["name"]) % 2]
        bar = axes.barh(rows[row["unit"]], length, 0.8, left=start, color=colour, linewidth=0)
        drawing.tip(bar[0], f"{row['name']} ({row['op']}) on {row['unit']}: {start:.3f} to {start + length:.3f} us")
        room_in = (row["end_ns"] - row["start_ns"]) / width * (drawing.panel_width_in - 0.8)
        if text_width_in(row["name"], size) < room_in - 0.04:
            axes.text(
                start + length / 2, rows[row["unit"]], row["name"], ha="center", va="center", fontsize=size, color="#111111"
            )
    axes.set_xlabel("time in the layer [us]")
    drawing.title(axes, "operations of the layer (grey: close-up below)")


def _interesting(bursts: pd.DataFrame, end: float) -> float:
    """Start of the close-up: where the K and V writes, which address single banks, give way to the scores."""
    writes = bursts[bursts.name == "WR"]
    if writes.empty:
        return 0.0
    return float(min(max(0.0, writes.end_ns.max() - _CLOSE_UP * end / 2), end * (1 - _CLOSE_UP)))


def _banks(drawing: Drawing, axes: Axes, bursts: pd.DataFrame, begin: float, end: float) -> None:
    shown = bursts[(bursts.end_ns > begin) & (bursts.start_ns < end)]
    banks = max(16, int(bursts.bank.max()) + 1)
    for row in shown.to_dict("records"):
        label, colour = _KINDS.get(row["name"], _OTHER)
        start, length = row["start_ns"] / 1000, (row["end_ns"] - row["start_ns"]) / 1000
        everyone = row["bank"] < 0
        bottom, height = (-0.5, banks) if everyone else (row["bank"] - 0.5, 1)
        bar = axes.bar(start, height, length, bottom=bottom, align="edge", color=colour, linewidth=0)
        where = "all banks" if everyone else f"bank {row['bank']}"
        drawing.tip(bar[0], f"{row['commands']} x {row['name']} ({row['op']}), {where}: {label}, from {row['start_ns']:.0f} ns")
    axes.set_xlim(begin / 1000, end / 1000)
    axes.set_ylim(-0.5, banks - 0.5)
    axes.set_yticks(range(0, banks, max(1, banks // 8)))
    axes.set_ylabel("bank")
    axes.grid(False)
    axes.set_facecolor("none")
    axes.set_xlabel("time in the layer [us]")
    drawing.title(axes, "banks of channel 0")
    axes.tick_params(colors=INK)


TIMELINE = Plot(
    "bank_timeline",
    "Bank activity",
    "{focus}. Commands that address every bank span all rows. An activation is drawn until its row may be read, a precharge "
    "for tRP, a refresh for tRFC, each at most until the next command.",
    lambda data: data.timeline,
    draw_timeline,
    "timeline",
)
