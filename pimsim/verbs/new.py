"""``pimsim new hardware|workload|sweep FILE``: a commented file to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from pimsim.errors import ConfigError, nearest
from pimsim.result.write import check_writable, write_text
from pimsim.verbs.options import Quiet

KINDS = ("hardware", "workload", "sweep")


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("new")
    def new(
        kind: Annotated[str, typer.Argument(metavar="KIND", help="hardware, workload or sweep")],
        out: Annotated[str, typer.Argument(metavar="FILE", help="YAML file to write; an existing one is not replaced")],
        quiet: Quiet = False,
    ) -> None:
        """Write a commented file to start from."""
        if kind not in KINDS:
            raise ConfigError(f"unknown kind of file '{kind}'{nearest(kind, KINDS)}; allowed: {', '.join(KINDS)}")
        target = Path(out)
        if target.exists():
            raise ConfigError(f"{target}: exists already; choose another name")
        if target.suffix not in (".yaml", ".yml"):
            raise ConfigError(f"{target}: must end in .yaml")
        check_writable(target)
        name = "".join(c if c.isalnum() or c in "_.-" else "_" for c in target.stem)
        text = resources.files("pimsim.verbs").joinpath("templates", f"{kind}.yaml").read_text(encoding="utf-8")
        write_text(target, text.replace("NAME", name))
        if not quiet:
            print(f"{target}: pimsim check {target}")
