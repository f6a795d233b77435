"""Load hardware and workload descriptions by shipped name or path, with overrides, into validated frozen specs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.device import Device, resolve_device
from pimsim.config.hardware import HardwareSpec
from pimsim.config.layers import override, read_layers
from pimsim.config.messages import config_error
from pimsim.config.short_forms import ModelSpec, long_names
from pimsim.config.workload import ShortWorkloadSpec, WorkloadForm, WorkloadSpec

_Spec = TypeVar("_Spec", bound=BaseModel)
WORKLOAD_PREFIX = "workload."


def validate(schema: type[_Spec], values: dict[str, Any], where: str) -> _Spec:
    """Check merged values against a schema. Raises ConfigError with a line for each complaint."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise config_error(error, schema, where) from None


def load_hardware(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Device:
    """Load a hardware description: a shipped name (``pim_gpt``) or a path, with ``path=value`` overrides.

    Returns a resolved Device. Raises ConfigError on anything unknown, missing, mistyped or physically impossible.
    """
    layered = read_layers(str(name_or_path), "hw_configs", "hardware")
    for assignment in overrides:
        override(layered, assignment)
    spec = validate(HardwareSpec, layered.values, layered.where)
    return resolve_device(spec, layered.sources, layered.where)


def load_workload(name_or_path: str | Path, overrides: Iterable[str] = ()) -> WorkloadSpec:
    """Load a workload description: a shipped name (``gpt3_xl``) or a path, with ``path=value`` overrides."""
    layered = read_layers(str(name_or_path), "workloads", "workload")
    for assignment in overrides:
        override(layered, assignment)
    return workload_from(layered.values, layered.where)


def workload_from(values: dict[str, Any], where: str) -> WorkloadSpec:
    """Check merged values of a workload, whose model may be a short form that is written out into parts.

    Keys of parts beside a short form change what it stands for. Raises ConfigError.
    """
    model = values.get("model")
    if not isinstance(model, dict) or "family" not in model:
        return validate(WorkloadSpec, values | {"model": long_names(model)} if isinstance(model, dict) else values, where)
    changes = {
        key: value for key, value in model.items() if key in DecoderSpec.model_fields and key not in ModelSpec.model_fields
    }
    short_values = values | {"model": {key: value for key, value in model.items() if key not in changes}}
    short = validate(ShortWorkloadSpec, short_values, where)
    try:
        parts = short.model.parts(changes)
    except ValidationError as error:
        raise config_error(error, DecoderSpec, f"{where}: model") from None
    rest = {name: getattr(short, name) for name in WorkloadForm.model_fields}
    return WorkloadSpec.model_construct(**rest, model=parts)


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
