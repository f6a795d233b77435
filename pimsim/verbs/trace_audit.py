"""``pimsim trace audit STREAM``."""

from __future__ import annotations

import json

import typer

from pimsim.config.load import load_hardware
from pimsim.engine.audit import DETAILS
from pimsim.trace import Auditor, read_stream, replacing


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("audit")
    def audit(
        stream: str = typer.Argument(help="timed command stream (CSV)"),
        hardware: str = typer.Option(..., "--hardware", help="shipped name or path"),
        tight: bool = typer.Option(False, "--tight", help="also list commands that could have issued earlier"),
        refresh: bool = typer.Option(False, "--refresh", help="also check that refreshes come in time"),
        report_file: str | None = typer.Option(None, "--json", help="also write the report as JSON"),
        limit: int = typer.Option(DETAILS, "--limit", min=1, max=1_000_000, help="findings to list; all are counted"),
        settings: list[str] = typer.Option([], "--set", help="path=value, as dram.timing.nRP=20"),
    ) -> None:
        """Check a stream against every timing rule and the banks' states; exit code 1 if it breaks any."""
        device = load_hardware(hardware, settings)
        auditor = Auditor(device, tight, refresh, limit, where=stream)
        for part in read_stream(stream, device):
            auditor.feed(part)
        report = auditor.report()
        if report_file:
            with replacing(report_file) as file:
                json.dump(report.as_dict(), file, indent=2)
                file.write("\n")
        print("\n".join(report.lines()))
        raise typer.Exit(0 if report.legal else 1)
