"""``pimsim model import DIR``."""

from __future__ import annotations

from typing import Annotated

import typer

from pimsim.config.hub.importer import import_config
from pimsim.config.hub.reader import find_config
from pimsim.config.hub.write import workload_yaml
from pimsim.config.load import workload_from
from pimsim.errors import ConfigError
from pimsim.result.write import check_writable, write_text


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("import")
    def import_model(
        source: str = typer.Argument(metavar="DIR", help="folder that holds a config.json, or such a file"),
        out: Annotated[
            str | None, typer.Option("--out", metavar="FILE.yaml", help="write here; default: standard output")
        ] = None,
        name: Annotated[str | None, typer.Option("--name", help="name of the workload; default: the folder's")] = None,
    ) -> None:
        """Write a hub's configuration as a workload, with the source of every value."""
        path = find_config(source)
        if path is None:
            raise ConfigError(f"{source}: neither a folder nor a .json file")
        if out is not None:
            check_writable(out)
        found = import_config(path)
        if name is not None:
            found.values["name"] = name
        workload_from(found.values, str(path))
        text = workload_yaml(found)
        if out is None:
            print(text, end="")
        else:
            write_text(out, text)
            print(f"{out}: {found.values['name']}")
