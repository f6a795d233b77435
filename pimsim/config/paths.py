"""Every dotted path that a sweep can set: leaves of the hardware and workload schemas, timing names, and the request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from pimsim.config.hardware import HardwareSpec
from pimsim.config.model import Band
from pimsim.config.workload import ShortWorkloadSpec, WorkloadSpec
from pimsim.dram.standard import Standard
from pimsim.dram.timing import CLOCK_KEY, known_stems
from pimsim.errors import ConfigError, nearest

INTEGER, NUMBER, BAND, TEXT = "integer", "number", "band", "text"
REQUEST = {"hardware": TEXT, "workload": TEXT, "tokens": INTEGER, "prompt": INTEGER}
WORKLOAD_PREFIX = "workload."
_TIMING = "dram.timing."
_NOT_SWEPT = ("name", "description", "labels", "source")


def settable_paths(standards: Iterable[Standard]) -> dict[str, str]:
    """Path and kind (integer, number, band, text) of everything a sweep over devices of ``standards`` can set."""
    paths = dict(REQUEST)
    paths.update(_leaves(HardwareSpec, ""))
    for standard in standards:
        paths[f"{_TIMING}{CLOCK_KEY}"] = NUMBER
        for stem in known_stems(standard):
            paths[f"{_TIMING}t{stem}_ns"], paths[f"{_TIMING}n{stem}"] = NUMBER, INTEGER
    for form in (ShortWorkloadSpec, WorkloadSpec):
        paths.update(_leaves(form, WORKLOAD_PREFIX))
    return paths


def check_path(path: str, paths: Iterable[str], where: str) -> None:
    """Refuse a path that is not among ``paths``, with the nearest one."""
    known = list(paths)
    if path not in known:
        raise ConfigError(f"{where}: unknown path '{path}'{nearest(path, known) or _last_part(path, known)}")


def _last_part(path: str, known: list[str]) -> str:
    ends = [name for name in known if name.rpartition(".")[2] == path.rpartition(".")[2]]
    return f" (did you mean '{ends[0]}'?)" if ends else ""


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        if name in _NOT_SWEPT:
            continue
        inner = _inner(field.annotation)
        if inner and not issubclass(inner[0], Band):
            for model in inner:
                yield from _leaves(model, f"{prefix}{name}.")
        elif name != "timing":
            yield f"{prefix}{name}", BAND if inner else _kind(field.annotation)


def _inner(annotation: Any) -> list[type[BaseModel]]:
    """Models that a field may hold; a mapping of them has names of its own, which no schema lists."""
    if get_origin(annotation) is dict:
        return []
    return [part for part in _flatten(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]


def _kind(annotation: Any) -> str:
    flat = _flatten(annotation)
    if float in flat:
        return NUMBER
    return INTEGER if int in flat and bool not in flat else TEXT


def _flatten(annotation: Any) -> list[Any]:
    return [annotation, *(found for part in get_args(annotation) for found in _flatten(part))]
