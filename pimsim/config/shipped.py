"""Find shipped files by name from any folder: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

import os
from pathlib import Path

from pimsim.errors import ConfigError, nearest
from pimsim.files import expanded, is_regular
from pimsim.text import shown

_FOLDERS = ("hw_configs", "workloads")
_PACKAGE = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder that holds ``hw_configs`` and ``workloads``."""
    installed = _PACKAGE / "_data"
    return installed if (installed / "hw_configs").is_dir() else _PACKAGE.parent


def told_path(path: Path) -> str:
    """A path as it is named to people: that of a shipped file without the folder of the installation."""
    return str(path.relative_to(data_root())) if _is_shipped(path) else str(path)


def shipped_names(folder: str) -> list[str]:
    """Names of the shipped files of ``folder`` (``hw_configs``, ``hw_configs/baselines``, ``workloads`` ...)."""
    return sorted(path.stem for path in (data_root() / folder).glob("*.yaml"))


def find(name_or_path: str, folder: str, what: str, relative_to: Path | None = None) -> Path:
    """Path of a shipped name, or of a file. Raises ConfigError naming the nearest shipped name."""
    text = str(name_or_path)
    shipped = data_root() / folder / f"{text}.yaml"
    if "/" not in text and is_regular(shipped):
        return shipped
    path = expanded(text, ConfigError)
    candidates = [path] if relative_to is None or path.is_absolute() else [relative_to / path, path]
    for candidate in candidates:
        if is_regular(candidate):
            return candidate
    other = next((candidate for candidate in candidates if os.path.exists(candidate)), None)
    if other is not None and (other.suffix or "/" in text):
        raise ConfigError(f"{shown(text)}: is not a regular file; give a {what} file or a shipped name")
    if text.endswith((".yaml", ".yml")) or "/" in text:
        raise ConfigError(f"{shown(text, 300)}: no such {what} file")
    names = shipped_names(folder)
    raise ConfigError(
        f"unknown {what} '{shown(text)}'{nearest(text, names)}; shipped: {', '.join(names)}; or give a path to a YAML file"
    )


def _is_shipped(path: Path) -> bool:
    return any(path.is_relative_to(data_root() / folder) for folder in _FOLDERS)
