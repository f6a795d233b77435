"""``pimsim trace ...``: the sub-command that collects the verbs about command streams and instruction traces."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add ``trace`` with all its verbs to ``app``."""
    trace = typer.Typer(name="trace", help="Command streams and instruction traces.", no_args_is_help=True)
    app.add_typer(trace)
