"""The ``pimsim`` command: collects the verbs, turns errors a user can cause into one message and exit code 2."""

from __future__ import annotations

import sys

import typer

from pimsim.errors import PimsimError
from pimsim.verbs import baselines, check, compare, run, trace

app = typer.Typer(
    name="pimsim",
    help="Cycle-accurate simulator of DRAM processing-in-memory accelerators for decoder-only language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
compare.register(app)
check.register(app)
trace.register(app)
baselines.register(app)


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
