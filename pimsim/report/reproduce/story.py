"""The numbers inside the sentences of the reproduction, each computed: the template itself states no result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_hardware
from pimsim.report.comparison_table import IDEAL, METHODS
from pimsim.report.reproduce.collect import ASSUMED_TOKENS, BASELINES, CLOCK_RATIO, HARDWARE, LONG_CONTEXT, Reproduction
from pimsim.report.reproduce.overhead import needed_software
from pimsim.report.reproduce.published import published_figures, published_range

GPU, CPU = BASELINES
SPEEDUP = {GPU: "speedup_t4", CPU: "speedup_xeon"}
MODELLED = METHODS[1:-1]
EAGER = MODELLED[-1]


def said(key: str) -> tuple[float, float]:
    """The published range of a figure that has numbers."""
    found = published_range(published_figures()[key].text)
    assert found is not None, key
    return found


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def span(values: tuple[float, float] | None) -> str:
    """``low to high``, or one number where both are shown alike."""
    if values is None:
        return ""
    low, high = map(number, values)
    return low if low == high else f"{low} to {high}"


def ends(values: Iterable[float]) -> tuple[float, float]:
    """Least and greatest."""
    found = list(values)
    return min(found), max(found)


def story(data: Reproduction) -> dict[str, Any]:
    """What the prose says, as text: speedups in x, shares and bandwidths in percent, by the names the template uses."""
    largest = data.largest
    share = data.nominal[largest].asic_busy_s / data.nominal[largest].latency_s * 100
    slower = (data.slow_asic[largest].latency_s / data.nominal[largest].latency_s - 1) * 100
    said_share, said_slower = said("non_vmm")[0], said("slow_asic")[0]
    spec = load_hardware(HARDWARE).asic
    longest = f"{LONG_CONTEXT:,}"
    return {
        "largest": largest,
        "models": f"{len(data.nominal)} {'model' if len(data.nominal) == 1 else 'models'}",
        "said": {name: span(said(key)) for name, key in SPEEDUP.items()},
        "ideal": {name: span(ends(_speedups(data, name, IDEAL))) for name in BASELINES},
        "gpu_gb_per_s": number(load_baseline(GPU).bytes_per_s / 1e9),
        "reached": _reached(data),
        "bandwidth": {name: _bandwidth(data, name) for name in BASELINES},
        "gpu_bandwidth_largest": _bandwidth(data, GPU, largest),
        "cpu_left": span(_left(data)),
        "row_hits": span(ends(run.row_hit_rate * 100 for run in data.nominal.values())),
        "said_row_hits": number(said("row_hits")[0]),
        "share": number(share),
        "share_ratio": number(share / said_share),
        "slower": number(slower),
        "said_share": number(said_share),
        "said_slower": number(said_slower),
        "clock_ratio": CLOCK_RATIO,
        "would_become": number(said_share * (CLOCK_RATIO - 1)),
        "units": f"{spec.adders} adders and {spec.multipliers} multipliers",
        "terms": spec.exp_taylor_terms,
        "longest": longest,
        "fits": _fits(data, longest),
        "assumed_tokens": min(ASSUMED_TOKENS, data.tokens or ASSUMED_TOKENS),
    }


def _speedups(data: Reproduction, baseline: str, method: str) -> pd.Series:
    table = data.comparison
    return table[(table.baseline == baseline) & (table.method == method)].set_index("workload").speedup


def _reached(data: Reproduction) -> str:
    """Which modelled stacks of the GPU reach the low end of the published range, and with which models."""
    least, found = said(SPEEDUP[GPU])[0], []
    for method in MODELLED:
        speedups = _speedups(data, GPU, method)
        names = list(speedups[speedups >= least].index)
        if names:
            found.append(f"{method} with {', '.join(names)} ({span(ends(speedups[names]))})")
    best = max(_speedups(data, GPU, method).max() for method in MODELLED)
    return "; ".join(found) if found else f"none: the largest modelled speedup is {number(best)}"


def _bandwidth(data: Reproduction, baseline: str, workload: str | None = None) -> str:
    """Part of peak bandwidth in percent that the published speedups leave to a baseline, over all models or of one."""
    runs = [(name, run) for name, run in data.nominal.items() if workload in (None, name)]
    needed = needed_software(runs, load_baseline(baseline), data.comparison, *said(SPEEDUP[baseline]))
    return span((needed.bandwidth_high_percent.min(), needed.bandwidth_low_percent.max()))


def _left(data: Reproduction) -> tuple[float, float]:
    """Published speedup over the CPU by that of the modelled eager stack, low end by low end and high by high."""
    ours, published = ends(_speedups(data, CPU, EAGER)), said(SPEEDUP[CPU])
    return ends((published[0] / ours[0], published[1] / ours[1]))


def _fits(data: Reproduction, longest: str) -> str:
    missing = ", ".join(data.no_long_context)
    return f"K and V for {longest} tokens fit for {f'all models but {missing}' if missing else 'every model'}."
