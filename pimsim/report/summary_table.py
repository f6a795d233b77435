"""The report's first table: each run with its times, its energy, and its speedup over every baseline, best and worst marked."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pimsim.report.comparison_table import IDEAL
from pimsim.report.data import ReportData
from pimsim.report.table import Cell, ReportTable, cell
from pimsim.result.run_result import RunResult

_LOWER_IS_BETTER = (2, 3, 4, 5)


def summary_table(data: ReportData) -> ReportTable:
    """One row a run. The best and the worst device for a workload are marked where there are several."""
    baselines = list(dict.fromkeys(data.comparison.baseline))
    heads = ("workload", "hardware", "ms per token", "TTFT [ms]", "TPOT [ms]", "mJ per token", "low to high")
    columns = (*heads, *(f"over {name}{kind}" for name in baselines for kind in (", ideal [x]", ", software [x]")))
    rows = [
        _row(data, run, baselines)
        for run in sorted(data.runs, key=lambda run: [r.workload for r in data.runs].index(run.workload))
    ]
    if len({run.hardware for run in data.runs}) > 1:
        _mark(rows, len(columns))
    caption = (
        "ms per token: latency of the whole request over its generated tokens; TTFT: until the first token; TPOT: each token after it. "
        "Ideal: over the baseline's roofline, which no software reaches. Software: over the modelled stacks, from the fastest's lower end "
        "to the slowest's upper end, with the error seen in validation. Marked: best and worst device for a workload."
    )
    return ReportTable("summary", "Summary", caption, columns, rows, brief=True)


def _row(data: ReportData, run: RunResult, baselines: list[str]) -> list[Cell]:
    scale = 1e3 / run.generated_tokens
    low, high = (f"{run.energy_j[end] * scale:.3g}" for end in ("low", "high"))
    times = [cell(value * 1e3) for value in (run.s_per_token, run.ttft_s["mean"], run.tpot_s["mean"])]
    row = [
        Cell(run.workload),
        Cell(run.hardware),
        *times,
        cell(run.energy_per_token_j * 1e3),
        Cell(f"{low} to {high}", narrow=True),
    ]
    own = data.comparison[(data.comparison.hardware == run.hardware) & (data.comparison.workload == run.workload)]
    for name in baselines:
        row += _speedups(own[(own.baseline == name) & own.speedup.notna()])
    return row


def _speedups(found: pd.DataFrame) -> list[Cell]:
    ideal, stacks = found[found.method == IDEAL], found[found.method.str.startswith("modelled")]
    first = Cell("does not fit") if ideal.empty else cell(float(ideal.speedup.iloc[0]))
    if stacks.empty:
        return [first, Cell("")]
    low, high = float(stacks.speedup_low.min()), float(stacks.speedup_high.max())
    return [first, Cell(f"{low:.3g} to {high:.3g}", (low * high) ** 0.5)]


def _mark(rows: list[list[Cell]], columns: int) -> None:
    for workload in dict.fromkeys(row[0].text for row in rows):
        own = [row for row in rows if row[0].text == workload]
        for column in range(2, columns):
            keyed = [row for row in own if row[column].key is not None]
            keys = [row[column].key or 0.0 for row in keyed]
            if len(keys) < 2 or min(keys) == max(keys):
                continue
            best, worst = (min(keys), max(keys)) if column in _LOWER_IS_BETTER else (max(keys), min(keys))
            for row in keyed:
                if row[column].key in (best, worst):
                    row[column] = replace(row[column], mark="best" if row[column].key == best else "worst")
