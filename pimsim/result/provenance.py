"""Where a result came from: versions, commit, files, and how much of the configuration is assumed."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any


@cache
def package_version() -> str:
    """Version of the installed package."""
    try:
        return metadata.version("pimsim")
    except metadata.PackageNotFoundError:
        return "unknown"


@cache
def code_digest() -> str:
    """SHA-256 over all source files of the package that runs: equal digests compute equal results."""
    root, state = Path(__file__).resolve().parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        state.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return state.hexdigest()


@cache
def git_commit() -> str | None:
    """Commit of the checkout the package runs from, with ``-dirty`` if it was changed; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit + ("-dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def provenance(hardware_where: str, sources: Mapping[str, str], seed: int | None = None) -> dict[str, Any]:
    """Versions, commit, seed and the paths of the values whose source begins with ``assumed``."""
    assumed = sorted(path for path, source in sources.items() if source.startswith("assumed") and not path.endswith("source"))
    return {
        "package_version": package_version(),
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "numba": metadata.version("numba"),
        "seed": seed,
        "hardware_file": Path(hardware_where).name,
        "assumed_values": assumed,
    }
