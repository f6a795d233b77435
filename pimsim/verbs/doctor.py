"""``pimsim doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from pimsim.config import shipped
from pimsim.result.provenance import git_commit, package_version
from pimsim.verbs.options import Json, Quiet
from pimsim.verbs.output import Output

NEEDED = (
    "numpy",
    "numba",
    "llvmlite",
    "simpy",
    "pandas",
    "matplotlib",
    "pyyaml",
    "pydantic",
    "ml_dtypes",
    "typer",
    "rich",
    "scipy",
    "jinja2",
)
EXTRAS = {
    "search": ("optuna",), "cluster": ("distributed",), "parquet": ("pyarrow",), "notebooks": ("nbformat", "nbclient", "ipykernel"),
    "measure": ("torch", "pynvml"), "docs": ("mkdocs", "mkdocstrings"),
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("doctor")
    def doctor(json: Json = None, quiet: Quiet = False) -> None:
        """Print versions, cores, the cache of compiled kernels and which extras are installed; exit code 1 if something is missing."""
        output = Output(json, quiet)
        found = examine()
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, value in found.items():
            table.add_row(name.replace("_", " "), _text(value))
        output.console.print(table)
        output.document(found)
        if found["missing"] or not found["kernel_cache"]["writable"]:
            raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """What of an installation matters to how pimsim runs."""
    from pimsim.engine.kernels_cache import cache_folder

    cache = Path(cache_folder())
    versions = {name: _version(name) for name in NEEDED}
    return {
        "pimsim": package_version(),
        "commit": git_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "data": str(shipped.data_root()),
        "kernel_cache": {
            "folder": str(cache),
            "writable": os.access(cache, os.W_OK),
            "compiled_kernels": sum(1 for _ in cache.rglob("*.nbc")),
            "persistent": "pimsim-kernels-" not in cache.name,
        },
        "free_disk_gb": round(shutil.disk_usage(cache).free / 1e9, 1),
        "versions": {name: version for name, version in versions.items() if version},
        "missing": [name for name, version in versions.items() if not version],
        "extras": {extra: all(find_spec(name) is not None for name in names) for extra, names in EXTRAS.items()},
        "terminal": {"columns": shutil.get_terminal_size().columns, "encoding": sys.stdout.encoding},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_text(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    return (
        {True: "yes", False: "no", None: "unknown"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )
