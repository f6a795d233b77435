"""An imported configuration as a workload file, each value beside the key that said it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pimsim.config.hub.importer import Imported

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*$")
_AMBIGUOUS = re.compile(r"(yes|no|on|off|y|n|true|false|null)$", re.IGNORECASE)


def workload_yaml(found: Imported, labels: list[str] | None = None, description: str = "", source: str = "") -> str:
    """The text of a workload file that stands for the same values."""
    values = dict(found.values)
    values["labels"] = labels or values["labels"]
    values["description"] = description or values["description"]
    values["source"] = source or values["source"]
    model = dict(values["model"])
    model["source"] = f"{source or model['source']}; what no key of it says is the architecture's"
    order = ("name", "description", "source", "labels")
    head = {key: values[key] for key in order}
    lines = [*_lines(head, "", 0, {}), *_lines({"model": model}, "", 0, found.sources)]
    lines += _lines({"request": values["request"]}, "", 0, {})
    return "\n".join(lines) + "\n"


def _lines(values: Mapping[str, Any], path: str, depth: int, sources: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        here, indent = f"{path}.{key}" if path else key, "  " * depth
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, here, depth + 1, sources)
        elif isinstance(value, Mapping):
            yield f"{indent}{key}: {{}}"
        else:
            said = sources.get(here, "")
            marked = said and not said.startswith("architecture ") and key not in ("source", "kind", "origin")
            shown = scalar(value)
            yield f"{indent}{key}: " + (f"{{value: {shown}, source: {json.dumps(said)}}}" if marked else shown)


def scalar(value: Any) -> str:
    """A value as the strict reader of workload files takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        mantissa, _, exponent = repr(value).partition("e")
        point = mantissa if "." in mantissa else f"{mantissa}.0"
        return f"{point}e{int(exponent):+d}" if exponent else point
    if isinstance(value, list):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, str):
        return value if _PLAIN.match(value) and not _AMBIGUOUS.match(value) else json.dumps(value)
    return str(value)
