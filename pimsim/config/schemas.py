"""The kinds of YAML files, their schemas as JSON Schema, and which kind a file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pimsim.config import shipped
from pimsim.config.baseline import FOLDER, BaselineSpec
from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.hardware import HardwareSpec
from pimsim.config.json_schema import CHANGED, file_schema
from pimsim.config.layers import MAX_BASES, hub_config
from pimsim.config.short_forms import ModelSpec
from pimsim.config.strict_yaml import load_yaml
from pimsim.config.sweep import FOLDER as SWEEPS
from pimsim.config.sweep import SweepSpec
from pimsim.config.workload import WorkloadSpec, WrittenWorkload

SCHEMAS: dict[str, type[BaseModel]] = {
    "hardware": HardwareSpec,
    "workload": WorkloadSpec,
    "baseline": BaselineSpec,
    "sweep": SweepSpec,
}
_FOLDERS = {"hardware": "hw_configs", "workload": "workloads", "baseline": FOLDER, "sweep": SWEEPS}
_OWN_KEYS = {
    "sweep": {"axes", "points"},
    "hardware": {"dram", "asic", "pim"},
    "workload": {"model", "request"},
    "baseline": {"device_class", "memory", "power"},
}


def json_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of a kind of file as users write it: ``base:`` allowed, and then nothing is required."""
    if kind != "workload":
        return file_schema(SCHEMAS[kind])
    schema = file_schema(WrittenWorkload)
    # Kinds of layers say what differs from the model's own parts: nothing is required of them.
    changed = schema["$defs"][f"{DecoderSpec.__name__}{CHANGED}"]["properties"]
    schema["$defs"][DecoderSpec.__name__]["properties"]["blocks"] = changed["blocks"]
    for suffix in ("", CHANGED):
        # Keys of the parts may stand beside a short form's own.
        short, parts = (schema["$defs"][f"{model.__name__}{suffix}"] for model in (ModelSpec, DecoderSpec))
        short["properties"] = parts["properties"] | short["properties"]
    return schema


def kind_of(name_or_path: str) -> str:
    """``hardware``, ``workload``, ``baseline`` or ``sweep``, from where a shipped name is found or from a file's keys or its base's."""
    reference, folder = str(name_or_path), Path()
    for _ in range(MAX_BASES):
        shipped_kind = _shipped_kind(reference)
        path = folder / reference
        if hub_config(reference, folder) is not None:
            return "workload"
        if shipped_kind or not path.is_file():
            return shipped_kind or "hardware"
        data = load_yaml(path)
        named = next((kind for kind, keys in _OWN_KEYS.items() if keys & set(data)), None)
        base = data.get("base")
        if named or not isinstance(base, str):
            return named or "hardware"
        reference, folder = base, path.parent
    return "hardware"


def _shipped_kind(name: str) -> str | None:
    if "/" in name:
        return None
    return next((kind for kind, folder in _FOLDERS.items() if name in shipped.shipped_names(folder)), None)
