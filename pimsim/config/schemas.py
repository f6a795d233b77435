"""The kinds of YAML files, their schemas as JSON Schema, and which kind a file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pimsim.config import shipped
from pimsim.config.hardware import HardwareSpec
from pimsim.config.strict_yaml import load_yaml
from pimsim.config.workload import WorkloadSpec

SCHEMAS: dict[str, type[BaseModel]] = {"hardware": HardwareSpec, "workload": WorkloadSpec}


def json_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of a kind of file as users write it: ``base:`` allowed, and then nothing is required."""
    schema = SCHEMAS[kind].model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["base"] = {"type": "string", "description": "shipped name or path that this file changes"}
    return schema


def kind_of(name_or_path: str) -> str:
    """``hardware`` or ``workload``, from where a shipped name is found or from a file's keys."""
    if "/" not in name_or_path and name_or_path in shipped.shipped_names("workloads"):
        return "workload"
    if Path(name_or_path).is_file():
        data = load_yaml(Path(name_or_path))
        base = data.get("base")
        if "model" in data or "request" in data:
            return "workload"
        if "dram" not in data and isinstance(base, str) and base in shipped.shipped_names("workloads"):
            return "workload"
    return "hardware"
