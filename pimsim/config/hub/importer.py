"""From a hub's ``config.json`` to the values of a workload, each with the key that said it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pimsim.config.hub import encoder_decoder, experts, gpt, llama, state_space
from pimsim.config.hub.reader import Flag, HubConfig, Number, read_config
from pimsim.errors import ConfigError, nearest

ARCHITECTURES = {
    name: read
    for module in (gpt, llama, experts, state_space, encoder_decoder)
    for name, read in module.ARCHITECTURES.items()
}  # fmt: skip
_REQUEST_SOURCE = "as PIM-GPT's evaluation: 1,024 generated tokens, or as many as the context holds"
GENERATED, ENCODED = 1024, 512


@dataclass(frozen=True)
class Imported:
    """Plain values of a workload, the source of each leaf by dotted path, and the file's keys that have no effect."""

    values: dict[str, Any]
    sources: dict[str, str]
    ignored: list[str]
    path: Path


def import_config(path: Path) -> Imported:
    """Read the ``config.json`` at ``path``. Raises ConfigError for what is damaged, unknown or not modelled."""
    hub = read_config(path)
    family = hub.text("model_type")
    if family not in ARCHITECTURES:
        raise ConfigError(
            f"{path}: model_type '{family}' is not an architecture that is read{nearest(family, ARCHITECTURES)}; "
            f"read are: {', '.join(sorted(ARCHITECTURES))}"
        )
    found = ARCHITECTURES[family](hub)
    hub.refuse("add_cross_attention", False)
    ignored = hub.check_all_read(family)
    name = _name(path, hub)
    origin = f"{hub.where}, architecture {family}"
    context = int(found["max_context"])
    request: dict[str, Any] = {"prompt_tokens": 1, "generate_tokens": min(GENERATED, context), "source": _REQUEST_SOURCE}
    if "encoder" in found:
        request["encoder_tokens"] = min(ENCODED, int(found["encoder"]["max_tokens"]))
    model = {"source": f"{path.name} of {name}", "origin": str(family), **found}
    whole = {
        "name": name, "description": f"{name}, read from a hub's configuration ({family})", "source": origin, "labels": [],
        "model": model, "request": request,
    }  # fmt: skip
    sources: dict[str, str] = {}
    return Imported(_plain(whole, "", sources, f"architecture {family}"), sources, ignored, path)


def _name(path: Path, hub: HubConfig) -> str:
    """The folder's name, or the file's where that is not just ``config``."""
    text = path.stem if path.stem != "config" else path.resolve().parent.name
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_")[:100] or "model"


def _plain(value: Any, path: str, sources: dict[str, str], default: str) -> Any:
    """``value`` without its marks, which go to ``sources``."""
    if isinstance(value, Mapping):
        return {
            key: _plain(inner, f"{path}.{key}" if path else key, sources, default)
            for key, inner in value.items()
            if inner is not None
        }  # fmt: skip
    sources[path] = getattr(value, "source", "") or default
    if isinstance(value, Flag):
        return value.value
    if isinstance(value, bool):
        return value
    if isinstance(value, Number) or type(value) is float:
        return float(value)
    if isinstance(value, int):
        return int(value)
    return str(value) if isinstance(value, str) else value
