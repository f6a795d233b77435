"""``pimsim trace audit STREAM``."""

from __future__ import annotations

from typing import Annotated

import typer

from pimsim.config.load import load_hardware
from pimsim.engine.audit import DETAILS
from pimsim.trace import Auditor, read_stream
from pimsim.verbs.options import HardwareOption, Json, Settings
from pimsim.verbs.output import Output


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("audit")
    def audit(
        stream: Annotated[str, typer.Argument(metavar="STREAM", help="timed command stream (CSV)")],
        hardware: HardwareOption,
        tight: bool = typer.Option(False, "--tight", help="also list commands that could have issued earlier"),
        refresh: bool = typer.Option(False, "--refresh", help="also check that refreshes come in time"),
        report_file: Json = None,
        limit: int = typer.Option(DETAILS, "--limit", min=1, max=1_000_000, help="findings to list; all are counted"),
        settings: Settings = None,
    ) -> None:
        """Check a stream against every timing rule and the banks' states; exit code 1 if it breaks any."""
        output = Output(report_file)
        device = load_hardware(hardware, settings or ())
        auditor = Auditor(device, tight, refresh, limit, where=stream)
        for part in read_stream(stream, device):
            auditor.feed(part)
        report = auditor.report()
        output.document(report.as_dict())
        output.console.print("\n".join(report.lines()), markup=False)
        raise typer.Exit(0 if report.legal else 1)
