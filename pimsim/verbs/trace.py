"""``pimsim trace ...``: the sub-command that collects the verbs about command streams and instruction traces."""

from __future__ import annotations

import typer

from pimsim.verbs import trace_audit, trace_export, trace_run, trace_schedule


def register(app: typer.Typer) -> None:
    """Add ``trace`` with all its verbs to ``app``."""
    trace = typer.Typer(name="trace", help="Command streams and instruction traces.", no_args_is_help=True)
    trace_schedule.register(trace)
    trace_audit.register(trace)
    trace_run.register(trace)
    trace_export.register(trace)
    app.add_typer(trace)
