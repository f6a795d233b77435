"""The reproduction as Markdown, and its numbers as text: equal runs give equal text."""

from __future__ import annotations

from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from pimsim.baselines.validate import shipped_calibration
from pimsim.config.baseline import load_baseline
from pimsim.report.reproduce.collect import BASELINES, Reproduction
from pimsim.report.reproduce.measures import data_movement_reduction
from pimsim.report.reproduce.overhead import needed_software
from pimsim.report.reproduce.rows import Row, table, units_for_share
from pimsim.report.reproduce.story import SPEEDUP, number, said, span, story

HEADS = ("published figure", "published", "ours", "ours / published", "baseline assumption", "note")


def cells(row: Row) -> tuple[str, ...]:
    """A row of the table as text, in the order of HEADS."""
    said = row.published
    value = f"{said.text} {said.unit}".strip()
    ratio = "" if row.ratio is None else span(row.ratio)
    return said.figure, value, span(row.ours), ratio, row.needs if row.ours else "", row.note


def model_table(data: Reproduction) -> pd.DataFrame:
    """One row of text for each model: what was simulated."""
    rows = []
    for name, run in data.nominal.items():
        slow = data.slow_asic[name].latency_s / run.latency_s - 1
        energy = run.energy_j
        rows.append(
            {
                "model": name,
                "latency [s]": f"{run.latency_s:.6f}",
                "ms per token": f"{run.latency_s * 1e3 / run.generated_tokens:.4f}",
                "energy [J]": f"{energy['nominal']:.3f} ({energy['low']:.3f} to {energy['high']:.3f})",
                "power [W]": f"{run.average_power_w:.2f}",
                "row hits [%]": f"{run.row_hit_rate * 100:.2f}",
                "data moved, reduction [x]": f"{data_movement_reduction(name, run):.1f}",
                "ASIC share [%]": f"{run.asic_busy_s / run.latency_s * 100:.2f}",
                "slower at 100 MHz [%]": f"{slow * 100:.1f}",
            }
        )
    return pd.DataFrame(rows)


def needed_tables(data: Reproduction) -> dict[str, pd.DataFrame]:
    """For each baseline, as text: which software would give the published speedups."""
    found = {}
    for baseline in BASELINES:
        ends = said(SPEEDUP[baseline])
        frame = needed_software(data.nominal.items(), load_baseline(baseline), data.comparison, *ends)
        shown = pd.DataFrame({"model": frame.workload})
        for column, head in (("pim_ms", "ours"), ("ideal_ms", f"ideal {baseline}"), ("eager_ms", f"eager {baseline}, modelled")):
            shown[f"{head} [ms/token]"] = frame[column].map(number)
        low, high = map(number, ends)
        for stem, head in (
            ("needed_{}_ms", f"needed for {low}x to {high}x [ms/token]"),
            ("overhead_{}_ms", "software overhead [ms/token]"),
            ("overhead_{}_us_per_kernel", "a kernel of an eager stack [us]"),
            ("bandwidth_{}_percent", "bandwidth then drawn [% of peak]"),
        ):
            pairs = zip(frame[stem.format("low")], frame[stem.format("high")], strict=True)
            shown[head] = [f"{number(first)} to {number(last)}" for first, last in pairs]
        found[baseline] = shown
    return found


def markdown(data: Reproduction, figures: str = "figures") -> str:
    """The whole reproduction; ``figures`` is the folder of its figures as seen from the file."""
    environment = Environment(loader=PackageLoader("pimsim.report", "templates"), undefined=StrictUndefined, autoescape=False)
    environment.filters["table"] = markdown_table
    return environment.get_template("reproduction.md.j2").render(_context(data, figures))


def _context(data: Reproduction, figures: str) -> dict[str, Any]:
    run = next(iter(data.nominal.values()))
    rows = pd.DataFrame([cells(row) for row in table(data)], columns=list(HEADS))
    assumed = data.assumed.assign(
        **{
            f"{what} [%]": [
                _ends(row[f"{what}_low_percent"], row[f"{what}_high_percent"]) for row in data.assumed.to_dict("records")
            ]
            for what in ("latency", "energy")
        }
    )
    factor = units_for_share(data, said("non_vmm")[0])
    return {
        "figures": figures,
        "tokens": run.generated_tokens,
        "models": model_table(data),
        "story": story(data),
        "rows": rows,
        "needed": needed_tables(data),
        "units": data.units.assign(asic_share_percent=data.units.asic_share_percent.map("{:.2f}".format)).drop(
            columns="latency_s"
        ),
        "launch_us": number(shipped_calibration()["launch_us"]),
        "factor": None if factor is None else number(factor),
        "channels": data.channels.round({"latency_s": 4, "scaling": 2, "efficiency_percent": 1}),
        "assumed_count": len(data.assumed),
        "assumed": assumed[["constant", "nominal", "low", "high", "how", "latency [%]", "energy [%]", "source"]],
    }


def _ends(low: float, high: float) -> str:
    return " / ".join("" if pd.isna(value) else f"{value:+.2f}" for value in (low, high)).strip(" /")


def markdown_table(frame: pd.DataFrame) -> str:
    """A pipe table."""
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + "---|" * len(frame.columns)]
    for row in frame.astype(object).to_numpy().tolist():
        lines.append("| " + " | ".join(str(value).replace("|", "/") for value in row) + " |")
    return "\n".join(lines)
