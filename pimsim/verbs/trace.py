"""``pimsim trace ...``: the sub-command that collects the verbs about command streams and instruction traces."""

from __future__ import annotations

import typer

from pimsim.verbs.lazy import Verb, group_of

# In the order of the help text.
VERBS = {
    "schedule": Verb(
        "pimsim.verbs.trace_schedule", "Recompute the earliest legal clock of every command of a stream, in its order."
    ),
    "audit": Verb(
        "pimsim.verbs.trace_audit",
        "Check a stream against every timing rule and the banks' states; exit code 1 if it breaks any.",
    ),
    "run": Verb("pimsim.verbs.trace_run", "Run traces of AiM instructions command by command; cycles and command counts."),
    "export": Verb(
        "pimsim.verbs.trace_export",
        "Write every timed command of one token: as a stream for ``trace audit``, or for the Perfetto UI.",
    ),
}


def register(app: typer.Typer) -> None:
    """Add ``trace`` to ``app``."""
    trace = typer.Typer(name="trace", help="Command streams and instruction traces.", cls=group_of(VERBS), no_args_is_help=True)
    trace.callback()(_callback)
    app.add_typer(trace)


def _callback() -> None:
    """Typer makes a group only of what has a verb or a callback."""
