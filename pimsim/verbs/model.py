"""``pimsim model ...``: descriptions of models."""

from __future__ import annotations

import typer

from pimsim.verbs.lazy import Verb, group_of

# In the order of the help text.
VERBS = {
    "import": Verb("pimsim.verbs.model_import", "Write a hub's configuration as a workload, with the source of every value."),
    "list": Verb(
        "pimsim.verbs.model_list",
        "List the shipped workloads with parameters, K and V bytes a token, and the shipped devices whose memory holds them.",
    ),
}


def register(app: typer.Typer) -> None:
    """Add ``model`` to ``app``."""
    group = typer.Typer(name="model", help="Descriptions of models.", cls=group_of(VERBS), no_args_is_help=True)
    group.callback()(_callback)
    app.add_typer(group)


def _callback() -> None:
    """Typer makes a group only of what has a verb or a callback."""
