"""The ``pimsim`` command: collects the verbs, turns errors a user can cause into one message and exit code 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pimsim.errors import PimsimError
from pimsim.verbs.lazy import CONTEXT, Verb, group_of

# In the order of the help text.
VERBS = {
    "run": Verb("pimsim.verbs.run", "Simulate every command of a request and print where time and energy went."),
    "compare": Verb("pimsim.verbs.compare", "Simulate workloads on one or more devices and set baseline devices beside them."),
    "generate": Verb(
        "pimsim.verbs.generate",
        "Generate tokens on real numbers through the very programs that are timed; ids, cycles, energy and numerical errors.",
    ),
    "explain": Verb(
        "pimsim.verbs.explain",
        "For one token: every instruction with what bound it and what would bind next; answers to the main parameters.",
    ),
    "check": Verb("pimsim.verbs.check", "Validate descriptions and print them resolved, with derived cycles and sources."),
    "schema": Verb("pimsim.verbs.schema", "Print the JSON Schema of a kind of file, for completion in editors."),
    "new": Verb("pimsim.verbs.new", "Write a commented file to start from."),
    "model": Verb("pimsim.verbs.model", "Descriptions of models."),
    "trace": Verb("pimsim.verbs.trace", "Command streams and instruction traces."),
    "peer": Verb(
        "pimsim.verbs.peer", "Run an operation on another group's PIM device, by that group's program, controller and rules."
    ),
    "baselines": Verb("pimsim.verbs.baselines", "GPUs and CPUs to compare with."),
    "report": Verb(
        "pimsim.verbs.report",
        "Compare devices with baselines: an HTML report, a Markdown summary, CSV, PNG and SVG for each figure.",
    ),
    "reproduce": Verb(
        "pimsim.verbs.reproduce",
        "Compute again what a paper published, figure by figure, and say which baseline assumption each needs.",
    ),
    "bench": Verb("pimsim.verbs.bench", "Measure this simulator: speed, memory, growth. Without a choice, all but --sweep."),
    "doctor": Verb(
        "pimsim.verbs.doctor",
        "Print versions, cores, the cache of compiled kernels and which extras are installed; exit code 1 if something is missing.",
    ),
    "sweep": Verb(
        "pimsim.verbs.sweep",
        "Simulate every point of a sweep, in parallel; stored points are skipped, so it can be stopped and run again.",
    ),
    "show": Verb("pimsim.verbs.show", "Print the points of a sweep, or export its table."),
    "pareto": Verb("pimsim.verbs.pareto", "Print and plot the points that no other point betters in every objective."),
}

app = typer.Typer(
    name="pimsim",
    help="Cycle-accurate simulator of DRAM processing-in-memory accelerators for decoder-only language models.",
    cls=group_of(VERBS),
    context_settings=CONTEXT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from pimsim.result.provenance import package_version

        print(f"pimsim {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of ``pimsim`` itself; every verb is a sub-command."""


def main() -> None:
    """Entry point of the console command."""
    try:
        app(prog_name="pimsim")
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
