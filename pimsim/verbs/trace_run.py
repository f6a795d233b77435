"""``pimsim trace run TRACE...``."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from pimsim.aim.run import AimRun
from pimsim.config.device import Device
from pimsim.config.load import content_hash, load_hardware
from pimsim.engine.kernels_start import quick_start
from pimsim.errors import TraceError
from pimsim.trace import write_stream
from pimsim.verbs.options import HardwareOption, Json, Quiet, Settings
from pimsim.verbs.output import Output


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("run")
    def run(
        traces: list[str] = typer.Argument(help="AiM instruction traces", metavar="TRACE..."),
        hardware: HardwareOption = "gddr6_aim",
        report_file: Json = None,
        commands_file: str | None = typer.Option(None, "--commands", help="also write every command of one trace as CSV"),
        settings: Settings = None,
        quiet: Quiet = False,
    ) -> None:
        """Run traces of AiM instructions command by command; cycles and command counts. With several, the JSON is a list."""
        if commands_file and len(traces) > 1:
            raise TraceError(f"--commands takes the commands of one trace, not of {len(traces)}")
        device = load_hardware(hardware, settings or ())
        output = Output(report_file, quiet)
        with quick_start():
            reports = [_run(trace, device, commands_file, output) for trace in traces]
        output.document(reports[0] if len(reports) == 1 else reports)


def _run(trace: str, device: Device, commands_file: str | None, output: Output) -> dict[str, Any]:
    start = time.perf_counter()
    aim_run = AimRun(trace, device, log=commands_file is not None)
    if commands_file:
        write_stream(commands_file, aim_run.parts(), device)
    else:
        for _ in aim_run.parts():
            pass
    result = aim_run.result()
    counted = ", ".join(f"{name} {count}" for name, count in result.commands_by_kind.items()) or "none"
    say = output.console.print
    say(f"{trace} on {device.name} (quirks: {device.controller.quirks})", markup=False)
    say(f"  memory_system_cycles {result.memory_system_cycles}")
    say(f"  commands {counted}")
    return {
        "trace": Path(trace).name,
        "hardware": device.name,
        "quirks": device.controller.quirks,
        **asdict(result),
        "wall_s": round(time.perf_counter() - start, 6),
        "configuration_sha256": content_hash(device.spec),
    }
