"""Points that a search is told to try first."""

from __future__ import annotations

from typing import Any

from pimsim.config.paths import check_path
from pimsim.config.sweep import OptunaSpec
from pimsim.errors import ConfigError
from pimsim.explore.axes import Axis


def starting_params(spec: OptunaSpec, axes: list[Axis], where: str) -> list[dict[str, Any]]:
    """The starting points as Optuna's parameters. Raises ConfigError on a value that its axis does not have."""
    found = []
    for number, point in enumerate(spec.start, start=1):
        place = f"{where}: strategy.optuna.start, number {number}"
        paths = [path for axis in axes for path in axis.paths]
        for path in point:
            check_path(path, paths, place)
        missing = [path for path in paths if path not in point]
        if missing:
            raise ConfigError(f"{place}: {missing[0]} is missing: a starting point has a value for every axis")
        found.append({axis.name: _param(axis, tuple(point[path] for path in axis.paths), place) for axis in axes})
    return found


def _param(axis: Axis, values: tuple[Any, ...], place: str) -> Any:
    if not axis.is_range:
        if values not in axis.values:
            raise ConfigError(f"{place}: {axis.name}: {values[0]!r} is not one of the axis's values")
        return axis.values.index(values)
    if not isinstance(values[0], int | float) or not axis.low <= values[0] <= axis.high:
        raise ConfigError(f"{place}: {axis.name}: {values[0]!r} is not in {axis.low:g} .. {axis.high:g}")
    return float(values[0])
