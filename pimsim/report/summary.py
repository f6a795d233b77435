"""Readable summaries for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pimsim.result.run_result import RunResult

if TYPE_CHECKING:
    from pimsim.comparison import Comparison

_LEAST_SHARE, _SHARE_WIDTH, _SMALLEST_BAR, _WIDEST_BAR = 0.0005, 9, 3, 16
_SHORTER = {"background_precharged": "background_prechg"}
_FIGURES = ("latency", "energy", "speedup", "gain")


def print_run(console: Console, result: RunResult, compiling_s: float = 0.0) -> None:
    """What was simulated on what, latency and energy, where the cycles and the joules went; fits 80 columns.

    ``compiling_s``: seconds of the run that went into compiling kernels.
    """
    console.print(
        f"[bold]{result.workload}[/bold] on [bold]{result.hardware}[/bold]: "
        f"{result.prompt_tokens} prompt + {result.generated_tokens} generated tokens"
        + (f", batch {result.batch}" if result.batch > 1 else ""),
        highlight=False,
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in _figures(result, compiling_s):
        table.add_row("", *row)
    console.print(table)
    parts = {"cycles": _channel_mean(result), "critical path": result.critical_path_s, "energy": result.energy_breakdown_j}
    console.print(_shares(parts, console.width))
    if result.decoding is not None:
        _print_decoding(console, result.decoding)
    assumed = len(result.provenance["assumed_values"])
    console.print(
        f"  {assumed} of the hardware's values are assumed: pimsim check {result.hardware}", style="dim", highlight=False
    )


def _figures(result: RunResult, compiling_s: float) -> list[tuple[str, str, str]]:
    energy, tokens, engine = result.energy_j, result.token_latency_s, result.engine
    band = f"{quantity(energy['low'], 'J')} to {quantity(energy['high'], 'J')}"
    wall_s, compiled = engine["wall_s"] - compiling_s, f"; compiled in {compiling_s:.0f} s" if compiling_s else ""
    return [
        ("latency", quantity(result.latency_s, "s"), f"{quantity(result.s_per_token, 's')} per token, {result.tokens_per_s:,.1f} tokens/s"),
        ("first token", quantity(result.ttft_s["mean"], "s"), "TTFT: the prompt and the first token"),
        ("further tokens", quantity(result.tpot_s["mean"], "s"), f"TPOT: mean of each; last {quantity(tokens['last'], 's')}, p99 {quantity(tokens['p99'], 's')}"),
        ("streaming floor", quantity(result.streaming_floor_s, "s"), f"{result.streaming_floor_s / result.latency_s:.1%} of the latency"),
        ("energy", quantity(energy["nominal"], "J"), f"{band}; {quantity(result.energy_per_token_j, 'J')} per token"),
        ("average power", f"{result.average_power_w:.2f} W", "DRAM, MAC units, link and ASIC"),
        ("row-hit rate", f"{result.row_hit_rate:.2%}", ""),
        ("MAC utilisation", f"{result.mac_utilisation:.1%}", ""),
        ("ASIC busy", f"{result.asic_busy_s / result.latency_s:.2%}", "of the time"),
        ("data", quantity(result.external_bytes, "B"), f"over the pins, {quantity(result.internal_bytes, 'B')} inside the banks"),
        ("simulated", f"{wall_s:.2f} s", f"{engine['commands']:,} commands, {engine['name']} engine{compiled}"),
    ]  # fmt: skip


def _shares(parts: Mapping[str, Mapping[str, float]], width: int) -> Table:
    """The lists beside each other, each largest first with a bar; below each other where the width is too small."""
    lists = {
        title: [(name, v / sum(p.values())) for name, v in sorted(p.items(), key=lambda i: -i[1])] for title, p in parts.items()
    }
    lists = {title: [(_SHORTER.get(name, name), v) for name, v in rows if v >= _LEAST_SHARE] for title, rows in lists.items()}
    names = sum(max(len(name) for name, _ in [(title, 0), *rows]) for title, rows in lists.items())
    bar = min(_WIDEST_BAR, (width - 2 - names) // len(lists) - _SHARE_WIDTH)
    beside = bar >= _SMALLEST_BAR
    grid = Table.grid(padding=(0, 1, 0, 0))
    columns = [_share_list(title, rows, bar if beside else _WIDEST_BAR) for title, rows in lists.items()]
    if beside:
        grid.add_row("", *columns)
    else:
        for column in columns:
            grid.add_row("", column)
    return grid


def _share_list(title: str, rows: list[tuple[str, float]], bar: int) -> Table:
    table = Table(Column(title, no_wrap=True), Column("", justify="right", no_wrap=True), Column("", width=bar, no_wrap=True))
    table.box, table.pad_edge, table.padding, table.show_edge = None, False, (0, 1, 0, 0), False
    most = max((share for _, share in rows), default=1.0)
    for name, share in rows:
        table.add_row(name, f"{share:.1%}", bar_text(share / most, bar))
    return table


def bar_text(part: float, width: int) -> str:
    """A bar of ``part`` (0 to 1) of ``width`` characters, to an eighth of one."""
    eighths = round(part * width * 8)
    return "\u2588" * (eighths // 8) + ("", *"\u258f\u258e\u258d\u258c\u258b\u258a\u2589")[eighths % 8]


def _print_decoding(console: Console, decoding: dict[str, Any]) -> None:
    """What the strategy did, and where its time went."""
    expected = decoding["tokens_per_step_expected"]
    beside = "" if expected is None else f", closed form {expected:.3g}"
    histogram = ", ".join(f"{kept}: {count}" for kept, count in decoding["acceptance_histogram"].items())
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in (
        ("tokens a step", f"{decoding['tokens_per_step']:.3g}",
         f"+- {decoding['tokens_per_step_standard_error']:.2g}{beside}; {decoding['strategy']}, {decoding['rounds']} steps"),
        ("drafts kept", f"{decoding['drafted_tokens'] - decoding['dropped_tokens']}",
         f"of {decoding['drafted_tokens']}; steps by how many: {histogram}"),
        ("over plain", f"{decoding['speedup_over_plain']:.3g}x",
         f"as fast, {decoding['energy_over_plain']:.3g}x the energy of plain decoding on the same device"),
    ):  # fmt: skip
        table.add_row("", *row)
    console.print(table)
    console.print(_shares({"phases": decoding["breakdown_s"]}, console.width))


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
