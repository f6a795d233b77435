"""The ``pimsim`` command: collects the verbs, turns errors a user can cause into one message and exit code 2."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import typer

from pimsim.errors import PimsimError

# Modules of pimsim.verbs in the order of the help text; each registers its own verbs.
VERBS = (
    "run",
    "compare",
    "generate",
    "explain",
    "check",
    "trace",
    "baselines",
    "report",
    "reproduce",
    "bench",
    "sweep",
    "show",
    "pareto",
)


def _needed() -> tuple[str, ...]:
    """The module of the verb that this process was started for, lest it wait for the others' imports; else all."""
    asked = sys.argv[1] if len(sys.argv) > 1 and Path(sys.argv[0]).stem in ("pimsim", "cli") else ""
    return (asked,) if asked in VERBS else VERBS


app = typer.Typer(
    name="pimsim",
    help="Cycle-accurate simulator of DRAM processing-in-memory accelerators for decoder-only language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _verbs() -> None:
    """Keeps verbs sub-commands, even where only one is loaded."""


for _name in _needed():
    import_module(f"pimsim.verbs.{_name}").register(app)


def main() -> None:
    """Entry point of the console command."""
    try:
        app()
    except PimsimError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        print(f"error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
