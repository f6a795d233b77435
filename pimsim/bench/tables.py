"""The figures as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pimsim.bench.engines import EngineFigures
from pimsim.bench.peer import GemvFigures, SetFigures
from pimsim.bench.request_run import RequestFigures
from pimsim.units import BYTES_PER_KIB

COMMANDS, CHANNEL_CYCLES, WIDTH = "commands\n/s", "channel-\ncycles/s", 92


def bench_console() -> Console:
    """Standard output, wide enough for every table."""
    return Console(width=max(WIDTH, Console().width), soft_wrap=True)


def print_engines(console: Console, rows: Sequence[EngineFigures]) -> None:
    """Engines on the same program, in the same process: a table for each program."""
    for case, engines in groupby(rows, key=lambda row: row.case):
        table = _table(f"Engines: {case}", "engine", "commands", "wall\ns", "CPU\ns", COMMANDS, CHANNEL_CYCLES, "speed", "result")
        for row in engines:
            speed = "" if row.times_reference is None else f"{row.times_reference:,.0f}x"
            table.add_row(
                row.engine, f"{row.commands:,}", f"{row.wall_s:.4f}", f"{row.cpu_s:.4f}", rate(row.commands_per_s),
                rate(row.channel_cycles_per_s), speed, "equal" if row.equal else "DIFFERENT",
            )  # fmt: skip
        console.print(table)


def print_requests(console: Console, title: str, rows: Sequence[RequestFigures], total: bool = False) -> None:
    """Requests, each in its own process; with ``total`` their sum and the most memory of any."""
    table = _table(
        title, "model", "tokens", "wall\ns", "CPU\ns", "kernel\ns", "process\ns", "commands", COMMANDS, CHANNEL_CYCLES, "peak\nMiB"
    )  # fmt: skip
    for row in rows:
        table.add_row(row.workload, f"{row.tokens:,}", *_request_cells([row]))
    if total:
        table.add_section()
        table.add_row("total", f"{sum(row.tokens for row in rows):,}", *_request_cells(rows))
    console.print(table)


def _request_cells(rows: Sequence[RequestFigures]) -> list[str]:
    wall_s, commands = sum(row.wall_s for row in rows), sum(row.commands for row in rows)
    peaks = [row.peak_memory_bytes for row in rows if row.peak_memory_bytes is not None]
    seconds = [wall_s] + [sum(getattr(row, name) for row in rows) for name in ("cpu_s", "kernel_s", "process_wall_s")]
    return [
        *(f"{value:.2f}" for value in seconds),
        rate(commands),
        rate(commands / wall_s),
        rate(sum(row.channel_cycles for row in rows) / wall_s),
        f"{max(peaks) / BYTES_PER_KIB**2:.0f}" if peaks else "unknown",
    ]


def print_gemv(console: Console, rows: Sequence[GemvFigures], whole: SetFigures) -> None:
    """Matrix-vector traces beside the peer."""
    title = f"AiM matrix-vector traces; peer on {whole.peer_measured_on}"
    table = _table(title, "trace", "cycles", "wall\ns", CHANNEL_CYCLES, "peer's\nwall s", f"peer's\n{CHANNEL_CYCLES}")
    for row in rows:
        cycles = f"{row.cycles:,}" if row.cycles == row.peer_cycles else f"{row.cycles:,} (peer {row.peer_cycles:,})"
        table.add_row(
            row.trace, cycles, f"{row.wall_s:.5f}", rate(row.channel_cycles_per_s), f"{row.peer_wall_s:.3f}",
            rate(row.peer_channel_cycles_per_s),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"  all {whole.traces} traces by one 'pimsim trace run', with start: {whole.process_wall_s:.2f} s; "
        f"the peer's runs on {whole.peer_measured_on}: {whole.peer_wall_s:.2f} s\n",
        highlight=False,
    )


def rate(value: float) -> str:
    """A large number or rate to three digits with a prefix, as 1.23 G."""
    for prefix, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if float(f"{value:.3g}") >= factor:
            return f"{float(f'{value / factor:.3g}'):g} {prefix}"
    return f"{value:.3g}"


def _table(title: str, *names: str) -> Table:
    texts = {"engine", "model", "trace", "result"}
    columns = [Column(name, justify="left" if name in texts else "right", no_wrap=True) for name in names]
    return Table(*columns, title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
