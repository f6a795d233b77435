"""Read a file and the files it is based on, merge them, apply overrides, and remember where each value came from.

A value is a plain YAML value, or ``{value: ..., source: ...}``, or ``{low, nominal, high, source}`` for a constant that
is not exactly known. A later layer replaces the values it names; a broader timing name (``tRCD_ns``) in a later layer
replaces the narrower ones (``nRCDRD``) of the earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pimsim.config import shipped
from pimsim.config.model import MIN_SOURCE
from pimsim.config.standards import timing_umbrellas
from pimsim.config.strict_yaml import load_yaml, parse_scalar
from pimsim.dram.timing import stem
from pimsim.errors import ConfigError
from pimsim.text import shown

MAX_BASES = 16
MAX_DEPTH = 16
WORKLOAD = "workload"
_TIMING = "dram.timing"


@dataclass
class Layered:
    """Merged values (nested mapping), the source of each leaf by dotted path, the files that were read, keys without effect."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The file the user named, as it is shown."""
        return shipped.told_path(Path(self.files[-1])) if self.files else "<values>"


def read_layers(name_or_path: str, folder: str, what: str) -> Layered:
    """Read a named file and its ``base:`` chain, outermost base first. A workload may be a hub's configuration, or a folder with one."""
    chain: list[tuple[Path, dict[str, Any]]] = []
    layered = Layered()
    reference, relative_to = str(name_or_path), None
    while reference:
        config = hub_config(reference, relative_to) if what == WORKLOAD else None
        if config is not None:
            _import(layered, config)
            break
        path = shipped.find(reference, folder, what, relative_to)
        if any(path.resolve() == seen.resolve() for seen, _ in chain):
            raise ConfigError(f"{shipped.told_path(path)}: 'base:' leads back to itself")
        if len(chain) >= MAX_BASES:
            raise ConfigError(f"{shipped.told_path(path)}: more than {MAX_BASES} levels of 'base:'")
        data = load_yaml(path)
        reference, relative_to = data.pop("base", ""), path.parent
        if not isinstance(reference, str):
            raise ConfigError(f"{shipped.told_path(path)}: base: must be a shipped name or a path")
        chain.append((path, data))
    for path, data in reversed(chain):
        layered.files.append(str(path))
        try:
            merge(layered, data, f"set in {path.name}")
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
    return layered


def hub_config(reference: str, relative_to: Path | None = None) -> Path | None:
    """The hub configuration that a reference names, from a folder or here; None for a shipped name or another file."""
    if "/" not in reference and reference in shipped.shipped_names("workloads"):
        return None
    own = Path(reference).expanduser()
    for path in [own] if relative_to is None or own.is_absolute() else [relative_to / own, own]:
        if path.is_dir() or (path.is_file() and path.suffix == ".json"):
            from pimsim.config.hub.reader import find_config

            return find_config(path)
    return None


def _import(layered: Layered, path: Path) -> None:
    from pimsim.config.hub.importer import import_config

    found = import_config(path)
    layered.values, layered.ignored = found.values, found.ignored
    layered.sources.update(found.sources)
    layered.files.append(str(path))


def merge(layered: Layered, changes: Mapping[str, Any], default_source: str) -> None:
    """Put ``changes`` on top of ``layered``."""
    _merge(layered.values, changes, "", layered.sources, default_source)


def override(layered: Layered, assignment: str) -> None:
    """Apply one ``path=value`` of the command line. The path's existence is checked by the schema afterwards."""
    path, separator, text = assignment.partition("=")
    path = path.strip()
    if not separator or not path or not all(path.split(".")):
        raise ConfigError(f"--set '{shown(assignment)}': must be path=value, as in asic.clock_ghz=0.5")
    try:
        value = parse_scalar(text)
    except ConfigError as error:
        raise ConfigError(f"--set {shown(path)}: {error}") from None
    set_path(layered, path, value, f"set on the command line: {shown(assignment)}")


def set_path(layered: Layered, path: str, value: Any, source: str) -> None:
    """Set the value at a dotted ``path``. Raises ConfigError for one of more than MAX_DEPTH parts."""
    parts = path.split(".")
    if len(parts) > MAX_DEPTH:
        raise ConfigError(f"--set {shown(path)}: a path of {len(parts)} parts; at most {MAX_DEPTH}")
    changes: Any = value
    for part in reversed(parts):
        changes = {part: changes}
    merge(layered, changes, source)


def _is_leaf(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return True
    keys = set(value)
    return ("value" in keys and keys <= {"value", "source", "note"}) or (
        "nominal" in keys and keys <= {"low", "nominal", "high", "source", "note"}
    )


def _leaf_value(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "value" in value:
        return value["value"]
    return {key: value[key] for key in ("low", "nominal", "high") if key in value}


def _merge(target: dict[str, Any], changes: Mapping[str, Any], prefix: str, sources: dict[str, str], default: str) -> None:
    given = changes.get("source")
    group_source = given if isinstance(given, str) else default
    for key, value in changes.items():
        path = f"{prefix}{key}"
        if not _is_leaf(value):
            child = target.get(key)
            another_kind = isinstance(child, dict) and "kind" in value and _leaf_value(value["kind"]) != child.get("kind", "")
            if not isinstance(child, dict) or set(child) >= {"low", "nominal", "high"} or another_kind:
                child = target[key] = {}
            if path == _TIMING:
                standard = str(_leaf_value(changes.get("standard", target.get("standard", ""))))
                _drop_replaced_timing(child, value, sources, timing_umbrellas(standard))
            _merge(child, value, f"{path}.", sources, group_source)
            continue
        target[key] = _leaf_value(value)
        sources[path] = _own_source(value, path) or group_source


def _own_source(value: Any, path: str) -> str:
    """The source that a single value carries; empty if it carries none."""
    if not isinstance(value, Mapping) or "source" not in value:
        return ""
    source = value["source"]
    if not isinstance(source, str) or len(source.strip()) < MIN_SOURCE:
        raise ConfigError(
            f"{path}: source: {source!r}: must be text of at least {MIN_SOURCE} characters: where the value comes from, or 'assumed: why'"
        )
    return source


def _drop_replaced_timing(
    timing: dict[str, Any], changes: Mapping[str, Any], sources: dict[str, str], umbrellas: Mapping[str, str]
) -> None:
    """Forget earlier spellings of the parameters in ``changes``, and the narrower ones a broader name now sets."""
    for stem_now in {stem(key) for key in changes if key != "source"}:
        for old in [key for key in timing if key != "source"]:
            if stem(old) == stem_now or umbrellas.get(stem(old)) == stem_now:
                del timing[old]
                sources.pop(f"{_TIMING}.{old}", None)
