"""Find shipped files by name from any folder: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

from pathlib import Path

from pimsim.errors import ConfigError, nearest

_PACKAGE = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder that holds ``hw_configs`` and ``workloads``."""
    installed = _PACKAGE / "_data"
    return installed if (installed / "hw_configs").is_dir() else _PACKAGE.parent


def shipped_names(folder: str) -> list[str]:
    """Names of the shipped files of ``folder`` (``hw_configs``, ``hw_configs/baselines``, ``workloads`` ...)."""
    return sorted(path.stem for path in (data_root() / folder).glob("*.yaml"))


def find(name_or_path: str, folder: str, what: str, relative_to: Path | None = None) -> Path:
    """Path of a shipped name, or of a file. Raises ConfigError naming the nearest shipped name."""
    text = str(name_or_path)
    shipped = data_root() / folder / f"{text}.yaml"
    if "/" not in text and shipped.is_file():
        return shipped
    path = Path(text).expanduser()
    candidates = [path] if relative_to is None or path.is_absolute() else [relative_to / path, path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if text.endswith((".yaml", ".yml")) or "/" in text:
        raise ConfigError(f"{text}: no such {what} file")
    names = shipped_names(folder)
    raise ConfigError(
        f"unknown {what} '{text}'{nearest(text, names)}; shipped: {', '.join(names)}; or give a path to a YAML file"
    )
