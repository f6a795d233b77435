"""Figures of the reproduction: published bands over ours, scaling, and the tornado of assumed constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pimsim.report.comparison_table import MEASURED
from pimsim.report.drawing import INK, MARKERS, ORANGE, SERIES, SKY, VERMILLION, Drawing, style
from pimsim.report.figures.ratios import draw_points
from pimsim.report.figures.scales import log_scale
from pimsim.report.reproduce.collect import Reproduction
from pimsim.report.reproduce.story import SPEEDUP, said

_TORNADO_BARS = 14


def draw_all(data: Reproduction) -> dict[str, Drawing]:
    """Every figure by the name of its file."""
    with style():
        return {name: draw(data) for name, draw in _FIGURES.items()}


def _speedups(data: Reproduction) -> Drawing:
    """Speedup of each model over T4 and Xeon by method; the published range as a band."""
    table, models = data.comparison, list(data.nominal)
    drawing = Drawing(2, 3.0, 0.95 + 0.36 * len(models))
    for panel, (axes, (baseline, key)) in enumerate(zip(drawing.axes, SPEEDUP.items(), strict=True)):
        axes.axvspan(*said(key), color=VERMILLION, alpha=0.25, linewidth=0, label="published range")
        own = table[(table.baseline == baseline) & (table.method != MEASURED)].dropna(subset=["speedup"])
        draw_points(drawing, axes, own, models, "speedup")
        log_scale(axes, "x", 1.0, max(own.speedup_high.max(), said(key)[1]), "x", most=6)
        axes.set_yticks(range(len(models)), models if drawing.column_of(panel) == 0 else [""] * len(models))
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_xlabel("speedup (log)")
        drawing.title(axes, f"PIM-GPT over {baseline}")
    handles = {h.get_label(): h for h in drawing.axes[0].get_legend_handles_labels()[0]}
    drawing.legend(handles.values())
    return drawing


def _scaling(data: Reproduction) -> Drawing:
    """Channels, ASIC units and context length."""
    drawing = Drawing(3, 3.4, 3.0, columns=2)
    channels, units, contexts = drawing.axes
    models = list(dict.fromkeys([*data.channels.workload, *data.units.workload, *data.contexts.workload]))
    looks = {name: (SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]) for index, name in enumerate(models)}
    for name, part in data.channels.groupby("workload", sort=False):
        channels.plot(part.channels, part.scaling, looks[str(name)][1] + "-", color=looks[str(name)][0])
    shown = sorted(data.channels.channels.unique())
    (linear,) = channels.plot(shown, [count / shown[0] for count in shown], ":", color=INK, label="linear")
    channels.set_xscale("log", base=2)
    channels.set_yscale("log", base=2)
    channels.set_xticks(shown, [str(count) for count in shown])
    channels.set_yticks([1, 2, 4], ["1x", "2x", "4x"])
    channels.set_xlabel("channels")
    drawing.title(channels, f"throughput over {shown[0]} channels")
    name = data.units.workload.iloc[0]
    units.plot(data.units.factor, data.units.asic_share_percent, looks[name][1] + "-", color=looks[name][0])
    share = said("non_vmm")[0]
    published = units.axhline(share, color=VERMILLION, linestyle="--", label=f"published share, {share} %")
    units.set_xscale("log", base=2)
    units.set_xticks(data.units.factor, [f"{factor}x" for factor in data.units.factor])
    units.set_ylim(bottom=0)
    units.set_xlabel("adders and multipliers over assumed")
    drawing.title(units, "ASIC's share of latency [%]")
    for name, part in data.contexts.groupby("workload", sort=False):
        contexts.plot(part.context_tokens, part.ms_per_token, looks[str(name)][1] + "-", color=looks[str(name)][0])
    log_scale(contexts, "y", data.contexts.ms_per_token.min(), data.contexts.ms_per_token.max())
    contexts.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    contexts.set_xlabel("context [tokens]")
    drawing.title(contexts, "token latency [ms] (log)")
    lines = [channels.plot([], [], shape + "-", color=colour, label=name)[0] for name, (colour, shape) in looks.items()]
    drawing.legend([*lines, linear, published])
    return drawing


def _tornado(data: Reproduction) -> Drawing:
    """The assumed constants with the largest effects on latency and on energy; the low and the high setting each have a bar."""
    drawing = Drawing(2, 6.0, 0.9 + 0.3 * _TORNADO_BARS, columns=1)
    for axes, what in zip(drawing.axes, ("latency", "energy"), strict=True):
        columns = [f"{what}_low_percent", f"{what}_high_percent"]
        table = data.assumed.assign(effect=data.assumed[columns].abs().max(axis=1)).dropna(subset=["effect"])
        table = table[table.effect >= 0.005].nlargest(_TORNADO_BARS, "effect").iloc[::-1]
        for end, colour, offset in (("low", SKY, 0.2), ("high", ORANGE, -0.2)):
            at = [position + offset for position in range(len(table))]
            bars = axes.barh(at, table[f"{what}_{end}_percent"].fillna(0), 0.4, color=colour)
            for bar, row in zip(bars, table.to_dict("records"), strict=True):
                drawing.tip(bar, f"{row['constant']} = {row[end]}: {what} {row[f'{what}_{end}_percent']:+.2f} %")
        axes.set_yticks(range(len(table)), [_label(row) for row in table.to_dict("records")])
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.grid(False, axis="y")
        axes.set_xlabel(f"change of {what} [%]")
        drawing.title(axes, f"effect on {what}")
    drawing.legend([Patch(color=SKY, label="low setting"), Patch(color=ORANGE, label="high setting")])
    return drawing


def _label(row: Mapping[object, object]) -> str:
    name = str(row["constant"]).removeprefix("dram.").removeprefix("timing.").removeprefix("pim.")
    low, high = (f"{end:g}" if isinstance(end, int | float) else str(end) for end in (row["low"], row["high"]))
    return f"{name} ({low} .. {high})" if low else f"{name} ({high})"


_FIGURES: dict[str, Callable[[Reproduction], Drawing]] = {
    "reproduction_speedup": _speedups,
    "reproduction_scaling": _scaling,
    "reproduction_assumed": _tornado,
}


def tables(data: Reproduction) -> dict[str, pd.DataFrame]:
    """Every table behind the figures by the name of its file."""
    return {
        "comparison": data.comparison,
        "channels": data.channels,
        "asic_units": data.units,
        "contexts": data.contexts,
        "assumed": data.assumed,
    }
