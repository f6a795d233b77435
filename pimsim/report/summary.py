"""Readable summaries for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pimsim.result.run_result import RunResult

if TYPE_CHECKING:
    from pimsim.comparison import Comparison

_FIGURES = ("latency", "energy", "speedup", "gain")


def print_run(console: Console, result: RunResult) -> None:
    """Latency, energy, where the cycles and the joules went."""
    energy = result.energy_j
    console.print(
        f"[bold]{result.workload}[/bold] on [bold]{result.hardware}[/bold]: "
        f"{result.prompt_tokens} prompt + {result.generated_tokens} generated tokens"
    )
    tokens = result.token_latency_s
    lines = [
        ("latency", f"{quantity(result.latency_s, 's')}  ({result.tokens_per_s:,.1f} tokens/s)"),
        ("token latency", f"first {quantity(tokens['first'], 's')}, last {quantity(tokens['last'], 's')}, p99 {quantity(tokens['p99'], 's')}"),
        ("streaming floor", f"{quantity(result.streaming_floor_s, 's')}  ({result.streaming_floor_s / result.latency_s:.1%} of the latency)"),
        ("energy", f"{quantity(energy['nominal'], 'J')}  ({quantity(energy['low'], 'J')} to {quantity(energy['high'], 'J')})"),
        ("average power", f"{result.average_power_w:.2f} W  (DRAM, MAC units, link and ASIC)"),
        ("row-hit rate", f"{result.row_hit_rate:.2%}"),
        ("MAC utilisation", f"{result.mac_utilisation:.1%}"),
        ("ASIC busy", f"{result.asic_busy_s / result.latency_s:.2%} of the time"),
        ("data", f"{quantity(result.external_bytes, 'B')} over the pins, {quantity(result.internal_bytes, 'B')} inside the banks"),
        ("simulated", f"{result.engine['commands']:,} commands in {result.engine['wall_s']:.2f} s ({result.engine['name']} engine)"),
    ]  # fmt: skip
    for name, text in lines:
        console.print(f"  {name:<16}{text}", highlight=False)
    _print_shares(console, "cycles", _channel_mean(result))
    _print_shares(console, "critical path", result.critical_path_s)
    _print_shares(console, "energy", result.energy_breakdown_j)
    assumed = len(result.provenance["assumed_values"])
    console.print(
        f"  {assumed} of the hardware's values are assumed: pimsim check {result.hardware}", style="dim", highlight=False
    )


def print_comparison(console: Console, rows: list[Comparison]) -> None:
    """For each workload the simulated run, then a line for each baseline figure."""
    names = (Column(name, no_wrap=True) for name in ("workload", "device"))
    figures = (Column(name, justify="right", no_wrap=True) for name in _FIGURES)
    table = Table(*names, Column("how", overflow="fold"), *figures, box=SIMPLE_HEAD, pad_edge=False)
    shown: RunResult | None = None
    for row in rows:
        if row.run is not shown:
            shown = row.run
            pim = quantity(shown.latency_s, "s"), quantity(shown.energy_j["nominal"], "J")
            table.add_row(shown.workload, shown.hardware, "simulated", *pim, "", "", style="bold")
        baseline = quantity(row.baseline_latency_s, "s"), quantity(row.baseline_energy_j["nominal"], "J")
        table.add_row("", row.baseline, row.baseline_label, *baseline, f"{row.speedup:.1f}x", f"{row.energy_gain:.0f}x")
    if shown:
        console.print(f"{shown.prompt_tokens} prompt + {shown.generated_tokens} generated tokens, batch 1")
    console.print(table)
    console.print(
        "Speedup and (energy) gain are against the figure of that line; an ideal roofline has no software overhead.", style="dim"
    )


def quantity(value: float, unit: str) -> str:
    """Three or four significant digits with an SI prefix."""
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n")):
        if abs(value) >= factor:
            return f"{value / factor:.4g} {prefix}{unit}"
    return f"{value:.4g} {unit}"


def _channel_mean(result: RunResult) -> dict[str, float]:
    channels = list(result.cycle_breakdown.values())
    return {cause: sum(channel[cause] for channel in channels) / len(channels) for cause in channels[0]}


def _print_shares(console: Console, title: str, parts: dict[str, float]) -> None:
    total = sum(parts.values())
    shown = [
        f"{name} {value / total:.1%}"
        for name, value in sorted(parts.items(), key=lambda item: -item[1])
        if value / total >= 0.0005
    ]
    console.print(f"  {title:<16}{', '.join(shown)}", highlight=False)
