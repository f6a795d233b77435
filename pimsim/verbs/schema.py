"""``pimsim schema KIND``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pimsim.config.schemas import SCHEMAS, json_schema
from pimsim.errors import ConfigError, nearest


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("schema")
    def schema(kind: Annotated[str, typer.Argument(metavar="KIND", help="hardware, workload, baseline or sweep")]) -> None:
        """Print the JSON Schema of a kind of file, for completion in editors."""
        if kind not in SCHEMAS:
            raise ConfigError(f"unknown schema '{kind}'{nearest(kind, SCHEMAS)}; allowed: {', '.join(SCHEMAS)}")
        print(json.dumps(json_schema(kind), indent=2))
