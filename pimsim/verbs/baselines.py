"""``pimsim baselines ...``: GPUs and CPUs to compare with."""

from __future__ import annotations

import typer

from pimsim.verbs.lazy import Verb, group_of

# In the order of the help text.
VERBS = {
    "list": Verb("pimsim.verbs.baselines_list", "List the shipped devices."),
    "validate": Verb(
        "pimsim.verbs.baselines_validate",
        "Print predicted against measured decode times; shipped rows are predicted by a fit that leaves each one out.",
    ),
    "run": Verb(
        "pimsim.verbs.baselines_run", "Latency and energy of a request on a device: the ideal roofline, or a software stack."
    ),
    "measure": Verb(
        "pimsim.verbs.baselines_measure",
        "Time batch-1 decoding of a workload with random weights on this machine (needs the extra 'measure').",
    ),
}


def register(app: typer.Typer) -> None:
    """Add ``baselines`` to ``app``."""
    group = typer.Typer(name="baselines", help="GPUs and CPUs to compare with.", cls=group_of(VERBS), no_args_is_help=True)
    group.callback()(_callback)
    app.add_typer(group)


def _callback() -> None:
    """Typer makes a group only of what has a verb or a callback."""
