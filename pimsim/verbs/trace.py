"""``pimsim trace ...``: the sub-command that collects the verbs about command streams and instruction traces."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

# Modules ``trace_NAME`` of this package in the order of the help text; each registers the verb NAME.
VERBS = ("schedule", "audit", "run", "export")


def register(app: typer.Typer) -> None:
    """Add ``trace`` to ``app``, with the verb this process was started for, lest it wait for the others' imports; else all."""
    trace = typer.Typer(name="trace", help="Command streams and instruction traces.", no_args_is_help=True)
    asked = sys.argv[2] if sys.argv[1:2] == ["trace"] and len(sys.argv) > 2 else ""

    @trace.callback()
    def _verbs() -> None:
        """Keeps verbs sub-commands, even where only one is loaded."""

    for name in (asked,) if asked in VERBS else VERBS:
        import_module(f"pimsim.verbs.trace_{name}").register(trace)
    app.add_typer(trace)
