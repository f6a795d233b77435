"""``pimsim trace schedule STREAM``."""

from __future__ import annotations

import typer

from pimsim.config.load import load_hardware
from pimsim.trace import Scheduler, read_stream, write_stream


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("schedule")
    def schedule(
        stream: str = typer.Argument(help="command stream (CSV); its clocks are not read"),
        hardware: str = typer.Option(..., "--hardware", help="shipped name or path"),
        out: str = typer.Option(..., "--out", help="where to write the scheduled stream"),
        settings: list[str] = typer.Option([], "--set", help="path=value, as dram.timing.nRP=20"),
    ) -> None:
        """Recompute the earliest legal clock of every command of a stream, in its order."""
        device = load_hardware(hardware, settings)
        scheduler = Scheduler(device, where=stream)
        count = write_stream(out, (scheduler.feed(part) for part in read_stream(stream, device, need_clock=False)), device)
        print(f"{out}: {count} commands scheduled for {device.name}")
