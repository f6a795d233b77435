"""``pimsim trace run TRACE...``."""

from __future__ import annotations

import json
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
from pimsim.trace import replacing, write_stream


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("run")
    def run(
        traces: list[str] = typer.Argument(help="AiM instruction traces", metavar="TRACE..."),
        hardware: str = typer.Option("gddr6_aim", "--hardware", help="shipped name or path"),
        report_file: str | None = typer.Option(None, "--json", help="also write the result as JSON; a list for several traces"),
        commands_file: str | None = typer.Option(None, "--commands", help="also write every command of one trace as CSV"),
        settings: list[str] = typer.Option([], "--set", help="path=value, as dram.refresh.mode=all_bank"),
    ) -> None:
        """Run traces of AiM instructions command by command; cycles and command counts."""
        if commands_file and len(traces) > 1:
            raise TraceError(f"--commands takes the commands of one trace, not of {len(traces)}")
        device = load_hardware(hardware, settings)
        with quick_start():
            reports = [_run(trace, device, commands_file) for trace in traces]
        if report_file:
            with replacing(report_file) as file:
                json.dump(reports[0] if len(reports) == 1 else reports, file, indent=2)
                file.write("\n")


def _run(trace: str, device: Device, commands_file: str | None) -> dict[str, Any]:
    start = time.perf_counter()
    aim_run = AimRun(trace, device, log=commands_file is not None)
    if commands_file:
        write_stream(commands_file, aim_run.parts(), device)
    else:
        for _ in aim_run.parts():
            pass
    result = aim_run.result()
    counted = ", ".join(f"{name} {count}" for name, count in result.commands_by_kind.items()) or "none"
    print(f"{trace} on {device.name} (quirks: {device.controller.quirks})")
    print(f"  memory_system_cycles {result.memory_system_cycles}")
    print(f"  commands {counted}")
    return {
        "trace": Path(trace).name,
        "hardware": device.name,
        "quirks": device.controller.quirks,
        **asdict(result),
        "wall_s": round(time.perf_counter() - start, 6),
        "configuration_sha256": content_hash(device.spec),
    }
