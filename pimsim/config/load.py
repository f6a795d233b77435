"""Load hardware and workload descriptions by shipped name or path, with overrides, into validated frozen specs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pimsim.config.device import Device, resolve_device
from pimsim.config.hardware import HardwareSpec
from pimsim.config.layers import Layered, override, read_layers
from pimsim.config.messages import config_error
from pimsim.config.workload import WorkloadSpec

_Spec = TypeVar("_Spec", bound=BaseModel)
WORKLOAD_PREFIX = "workload."


def validate(schema: type[_Spec], layered: Layered, where: str) -> _Spec:
    """Check merged values against a schema. Raises ConfigError with a line for each complaint."""
    try:
        return schema.model_validate(layered.values)
    except ValidationError as error:
        raise config_error(error, schema, where) from None


def load_hardware(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Device:
    """Load a hardware description: a shipped name (``pim_gpt``) or a path, with ``path=value`` overrides.

    Returns a resolved Device. Raises ConfigError on anything unknown, missing, mistyped or physically impossible.
    """
    layered = read_layers(str(name_or_path), "hw_configs", "hardware")
    for assignment in overrides:
        override(layered, assignment)
    spec = validate(HardwareSpec, layered, layered.where)
    return resolve_device(spec, layered.sources, layered.where)


def load_workload(name_or_path: str | Path, overrides: Iterable[str] = ()) -> WorkloadSpec:
    """Load a workload description: a shipped name (``gpt3_xl``) or a path, with ``path=value`` overrides."""
    layered = read_layers(str(name_or_path), "workloads", "workload")
    for assignment in overrides:
        override(layered, assignment)
    return validate(WorkloadSpec, layered, layered.where)


def split_overrides(assignments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Sort ``path=value`` settings into hardware's and workload's (those that begin with ``workload.``)."""
    hardware, workload = [], []
    for text in assignments:
        if text.startswith(WORKLOAD_PREFIX):
            workload.append(text.removeprefix(WORKLOAD_PREFIX))
        else:
            hardware.append(text)
    return hardware, workload


def content_hash(*specs: BaseModel) -> str:
    """SHA-256 over the resolved values of specs; equal values give equal hashes whatever file they came from."""
    text = json.dumps([spec.model_dump(mode="json") for spec in specs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
