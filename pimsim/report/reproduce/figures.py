"""Figures of the reproduction: published bands over ours, scaling, and the tornado of assumed constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from matplotlib.patches import Patch

from pimsim.report.comparison_table import METHODS
from pimsim.report.drawing import BLUE, GREEN, GREY, INK, MARKERS, ORANGE, SERIES, SKY, VERMILLION, Drawing, style
from pimsim.report.reproduce.collect import Reproduction
from pimsim.report.reproduce.story import SPEEDUP, said

_COLOURS = dict(zip(METHODS, (GREY, GREEN, SKY, ORANGE, INK), strict=True))
_TORNADO_BARS = 14


def draw_all(data: Reproduction) -> dict[str, Drawing]:
    """Every figure by the name of its file."""
    with style():
        return {name: draw(data) for name, draw in _FIGURES.items()}


def _speedups(data: Reproduction) -> Drawing:
    """Speedup of each model over T4 and Xeon by method; the published range as a band."""
    table, models = data.comparison, list(data.nominal)
    drawing = Drawing(1, 2, 5.6, 3.4)
    for axes, (baseline, key) in zip(drawing.axes[0], SPEEDUP.items(), strict=True):
        axes.axhspan(*said(key), color=VERMILLION, alpha=0.25, linewidth=0, label="published range")
        for index, method in enumerate(METHODS[:-1]):
            part = table[(table.baseline == baseline) & (table.method == method)]
            at = [models.index(name) + (index - 1.5) * 0.2 for name in part.workload]
            bars = axes.bar(at, part.speedup, 0.2, color=_COLOURS[method], label=method)
            error = [part.speedup - part.speedup_low, part.speedup_high - part.speedup]
            axes.errorbar(at, part.speedup, error, fmt="none", ecolor=INK, elinewidth=0.9, capsize=1.6 if index else 0)
            for bar, row in zip(bars, part.to_dict("records"), strict=True):
                drawing.tip(bar, f"{row['workload']} against {baseline}, {row['how']}: {row['speedup']:.3g}x")
        axes.set_yscale("log")
        axes.set_ylim(bottom=1)
        axes.set_xticks(range(len(models)), models, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_title(f"PIM-GPT against {baseline}")
    drawing.axes[0][0].set_ylabel("speedup [x]")
    drawing.legend()
    return drawing


def _scaling(data: Reproduction) -> Drawing:
    """Channels, ASIC units and context length."""
    drawing = Drawing(1, 3, 3.9, 3.2)
    channels, units, contexts = drawing.axes[0]
    for index, (name, part) in enumerate(data.channels.groupby("workload", sort=False)):
        channels.plot(part.channels, part.scaling, MARKERS[index] + "-", color=SERIES[index], label=str(name))
    shown = sorted(data.channels.channels.unique())
    channels.plot(shown, [count / shown[0] for count in shown], ":", color=INK, label="linear")
    channels.set_xscale("log", base=2)
    channels.set_yscale("log", base=2)
    channels.set_xticks(shown, [str(count) for count in shown])
    channels.set_yticks([1, 2, 4], ["1x", "2x", "4x"])
    channels.set_xlabel("channels")
    channels.set_title(f"throughput over {shown[0]} channels")
    channels.legend()
    units.plot(data.units.factor, data.units.asic_share_percent, "o-", color=BLUE, label=data.units.workload.iloc[0])
    share = said("non_vmm")[0]
    units.axhline(share, color=VERMILLION, linestyle=":", label=f"published, {share} %")
    units.set_xscale("log", base=2)
    units.set_xticks(data.units.factor, [f"{factor}x" for factor in data.units.factor])
    units.set_ylim(bottom=0)
    units.set_xlabel("adders and multipliers over assumed")
    units.set_title("ASIC's share of latency [%]")
    units.legend()
    for index, (name, part) in enumerate(data.contexts.groupby("workload", sort=False)):
        contexts.plot(
            part.context_tokens, part.ms_per_token, MARKERS[index] + "-", color=SERIES[index], markersize=4, label=str(name)
        )
    contexts.set_yscale("log")
    contexts.set_xlabel("context [tokens]")
    contexts.set_title("token latency [ms]")
    contexts.legend(ncols=2, fontsize=6.5)
    contexts.set_ylim(top=contexts.get_ylim()[1] * 4)
    return drawing


def _tornado(data: Reproduction) -> Drawing:
    """The assumed constants with the largest effects on latency and on energy."""
    drawing = Drawing(1, 2, 5.6, 4.2)
    for axes, what in zip(drawing.axes[0], ("latency", "energy"), strict=True):
        columns = [f"{what}_low_percent", f"{what}_high_percent"]
        table = data.assumed.assign(effect=data.assumed[columns].abs().max(axis=1)).dropna(subset=["effect"])
        table = table[table.effect >= 0.005].nlargest(_TORNADO_BARS, "effect").iloc[::-1]
        for end, colour in (("low", SKY), ("high", ORANGE)):
            bars = axes.barh(range(len(table)), table[f"{what}_{end}_percent"].fillna(0), 0.7, color=colour)
            for bar, row in zip(bars, table.to_dict("records"), strict=True):
                drawing.tip(bar, f"{row['constant']} = {row[end]}: {what} {row[f'{what}_{end}_percent']:+.2f} %")
        axes.set_yticks(range(len(table)), [_label(row) for row in table.to_dict("records")], fontsize=7)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.set_xlabel(f"change of {what} [%]")
        axes.set_title(f"effect on {what}")
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
