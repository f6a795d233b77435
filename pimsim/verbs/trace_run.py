"""``pimsim trace run TRACE``."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import typer

from pimsim.aim.run import AimResult, AimRun
from pimsim.config.device import Device
from pimsim.config.load import content_hash, load_hardware
from pimsim.trace import replacing, write_stream


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("run")
    def run(
        trace: str = typer.Argument(help="AiM instruction trace"),
        hardware: str = typer.Option("gddr6_aim", "--hardware", help="shipped name or path"),
        report_file: str | None = typer.Option(None, "--json", help="also write the result as JSON"),
        commands_file: str | None = typer.Option(None, "--commands", help="also write every command as CSV"),
        settings: list[str] = typer.Option([], "--set", help="path=value, as dram.refresh.mode=all_bank"),
    ) -> None:
        """Run a trace of AiM instructions command by command; cycles and command counts."""
        device = load_hardware(hardware, settings)
        start = time.perf_counter()
        aim_run = AimRun(trace, device, log=commands_file is not None)
        if commands_file:
            write_stream(commands_file, aim_run.parts(), device)
        else:
            for _ in aim_run.parts():
                pass
        report = _report(trace, device, aim_run.result(), time.perf_counter() - start)
        if report_file:
            with replacing(report_file) as file:
                json.dump(report, file, indent=2)
                file.write("\n")
        print("\n".join(_lines(report)))


def _report(trace: str, device: Device, result: AimResult, wall_s: float) -> dict[str, object]:
    return {
        "trace": Path(trace).name,
        "hardware": device.name,
        "quirks": device.controller.quirks,
        **asdict(result),
        "wall_s": round(wall_s, 6),
        "configuration_sha256": content_hash(device.spec),
    }


def _lines(report: dict[str, object]) -> list[str]:
    kinds = report["commands_by_kind"]
    assert isinstance(kinds, dict)
    counted = ", ".join(f"{name} {count}" for name, count in kinds.items()) or "none"
    return [
        f"{report['trace']} on {report['hardware']} (quirks: {report['quirks']})",
        f"memory_system_cycles {report['memory_system_cycles']}",
        f"commands {counted}",
    ]
