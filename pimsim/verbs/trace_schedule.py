"""``pimsim trace schedule STREAM``."""

from __future__ import annotations

from typing import Annotated

import typer

from pimsim.config.load import load_hardware
from pimsim.trace import Scheduler, read_stream, write_stream
from pimsim.verbs.options import HardwareOption, Settings


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("schedule")
    def schedule(
        stream: Annotated[str, typer.Argument(metavar="STREAM", help="command stream (CSV); its clocks are not read")],
        hardware: HardwareOption,
        out: Annotated[str, typer.Option("--out", help="where to write the scheduled stream")],
        settings: Settings = None,
    ) -> None:
        """Recompute the earliest legal clock of every command of a stream, in its order."""
        device = load_hardware(hardware, settings or ())
        scheduler = Scheduler(device, where=stream)
        count = write_stream(out, scheduler.run(read_stream(stream, device, need_clock=False)), device)
        print(f"{out}: {count} commands scheduled for {device.name}")
