"""From the settings of a point to the resolved values that are simulated, and the key under which they are stored."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pimsim.config import shipped
from pimsim.config.device import resolve_device
from pimsim.config.expression import Expression
from pimsim.config.hardware import HardwareSpec
from pimsim.config.layers import Layered, read_layers, set_path
from pimsim.config.load import workload_from
from pimsim.config.messages import config_error
from pimsim.config.paths import REQUEST, WORKLOAD_PREFIX
from pimsim.config.sweep import SweepSpec
from pimsim.config.workload import WorkloadSpec
from pimsim.errors import PimsimError, RequestError
from pimsim.explore.axes import Settings
from pimsim.mapping.policies import policy_named
from pimsim.result.provenance import package_version
from pimsim.workload.model import make_request


@dataclass(frozen=True)
class Task:
    """What a worker needs to simulate a point: plain values, no files."""

    key: str
    hardware: Mapping[str, Any]
    workload: Mapping[str, Any]
    tokens: int
    prompt: int


@dataclass(frozen=True)
class DesignPoint:
    """A point of a sweep. ``refused`` says why it cannot be simulated; ``hardware`` is None if it is no valid description."""

    settings: Settings
    task: Task
    hardware: HardwareSpec | None
    refused: str | None = None

    @property
    def key(self) -> str:
        """Content hash of the resolved configuration, the request and the package version."""
        return self.task.key


@dataclass
class Resolver:
    """Resolves the points of one sweep; base files are read once."""

    spec: SweepSpec
    folder: Path
    derive: dict[str, Expression]
    constraints: list[Expression]
    satisfied: dict[str, int] = field(default_factory=dict)
    _bases: dict[tuple[str, str], Layered] = field(default_factory=dict)

    def base(self, name: str, kind: str) -> Layered:
        """The hardware or workload called ``name`` with its bases, shared: copy before changing."""
        if (kind, name) not in self._bases:
            folder = "hw_configs" if kind == "hardware" else "workloads"
            beside = self.folder / name
            is_file = name not in shipped.shipped_names(folder) and beside.exists()
            self._bases[kind, name] = read_layers(str(beside) if is_file else name, folder, kind)
        return self._bases[kind, name]

    def base_values(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, name and values of every base read so far, in order of kind and name."""
        return [(kind, name, self._bases[kind, name].values) for kind, name in sorted(self._bases)]

    def resolve(self, settings: Settings) -> DesignPoint | None:
        """The point with ``settings``; None if a constraint leaves it out. Raises ConfigError for unknown bases."""
        request: dict[str, Any] = {path: getattr(self.spec, path) for path in REQUEST}
        everything = {**self.spec.settings, **settings}
        request |= {path: value for path, value in everything.items() if path in REQUEST}
        hardware = copy.deepcopy(self.base(str(request["hardware"]), "hardware"))
        workload = copy.deepcopy(self.base(str(request["workload"]), "workload"))
        for path, value in everything.items():
            _put(hardware, workload, path, value)
        given = workload.values.get("request", {})
        request["tokens"] = given.get("generate_tokens", 1024) if request["tokens"] is None else request["tokens"]
        request["prompt"] = given.get("prompt_tokens", 1) if request["prompt"] is None else request["prompt"]
        for path, expression in self.derive.items():
            derived = expression.value(_flat(hardware, workload, request))
            if path in REQUEST:
                request[path] = derived
            _put(hardware, workload, path, derived)
        if self.constraints and not self._holds(_flat(hardware, workload, request)):
            return None
        return _point(settings, hardware, workload, request)

    def _holds(self, values: Mapping[str, Any]) -> bool:
        """Whether every constraint holds; each is counted, so that contradictory ones can be told."""
        kept = [bool(expression.value(values)) for expression in self.constraints]
        for expression, holds in zip(self.constraints, kept, strict=True):
            self.satisfied[expression.text] = self.satisfied.get(expression.text, 0) + holds
        return all(kept)


def _put(hardware: Layered, workload: Layered, path: str, value: Any) -> None:
    if path.startswith(WORKLOAD_PREFIX):
        set_path(workload, path.removeprefix(WORKLOAD_PREFIX), value, "set by the sweep")
    elif path not in REQUEST:
        set_path(hardware, path, value, "set by the sweep")


def _flat(hardware: Layered, workload: Layered, request: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(request)
    _flatten(hardware.values, "", found)
    _flatten(workload.values, WORKLOAD_PREFIX, found)
    return found


def _flatten(values: Mapping[str, Any], prefix: str, found: dict[str, Any]) -> None:
    for name, value in values.items():
        if not isinstance(value, dict):
            found[f"{prefix}{name}"] = value
        elif "nominal" in value:
            found[f"{prefix}{name}"] = value["nominal"]
        else:
            _flatten(value, f"{prefix}{name}.", found)


def _point(settings: Settings, hardware: Layered, workload: Layered, request: Mapping[str, Any]) -> DesignPoint:
    spec, model, refused = None, None, None
    content: list[Any] = [hardware.values, workload.values]
    try:
        spec = HardwareSpec.model_validate(hardware.values)
        model = workload_from(workload.values, Path(workload.where).stem)
        content = [spec.model_dump(mode="json"), model.model_dump(mode="json")]
        _check_possible(spec, model, request)
    except ValidationError as error:
        refused = str(config_error(error, HardwareSpec, Path(hardware.where).stem))
    except PimsimError as error:
        refused = str(error)
    content += [request["tokens"], request["prompt"], package_version()]
    key = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    task = Task(key, hardware.values, workload.values, request["tokens"], request["prompt"])
    return DesignPoint(settings, task, spec, refused)


def _check_possible(hardware: HardwareSpec, workload: WorkloadSpec, request: Mapping[str, Any]) -> None:
    """Raises PimsimError for what can be told without placing the model: request, timing, mapping policy."""
    for name in ("tokens", "prompt"):
        if not isinstance(request[name], int) or isinstance(request[name], bool):
            raise RequestError(f"{name}: {request[name]!r} is not a whole number")
    make_request(workload, request["tokens"], request["prompt"])
    resolve_device(hardware, {}, hardware.name)
    policy_named(hardware.mapping)
