"""The axes of a sweep, and the settings of its points: grid, zip, list, random and Sobol samples."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config.paths import BAND, INTEGER, check_path
from pimsim.config.sweep import MAX_POINTS, RangeSpec, SweepSpec
from pimsim.errors import ConfigError

Settings = dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """Paths that change together, and their values: listed, or a whole range ``low .. high`` to draw from."""

    paths: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...] = ()
    low: float = 0.0
    high: float = 0.0
    geometric: bool = False
    whole_numbers: bool = False

    @property
    def name(self) -> str:
        """The paths as the sweep file writes them."""
        return ", ".join(self.paths)

    @property
    def is_range(self) -> bool:
        """True for a whole range."""
        return not self.values

    def at(self, part: float) -> Settings:
        """Settings at ``part`` (0 <= part < 1) of the way through the axis."""
        if not self.is_range:
            return self.nth(min(int(part * len(self.values)), len(self.values) - 1))
        # A whole number stands for half a step on either side, so that the ends come as often as the others.
        half = 0.5 if self.whole_numbers and (self.low > 0.5 or not self.geometric) else 0.0
        low, high = self.low - half, self.high + half
        value = low * (high / low) ** part if self.geometric else low + (high - low) * part
        return self.of(min(max(value, self.low), self.high))

    def nth(self, index: int) -> Settings:
        """Settings of listed value ``index``."""
        return dict(zip(self.paths, self.values[index], strict=True))

    def of(self, value: float) -> Settings:
        """Settings of one value of a range."""
        return {self.paths[0]: round(value) if self.whole_numbers else value}


def read_axes(spec: SweepSpec, paths: Mapping[str, str], where: str) -> list[Axis]:
    """The axes of ``spec``; ``paths`` are those that exist, with their kinds. Raises ConfigError naming the axis."""
    axes, seen = [], set()
    for key, given in spec.axes.items():
        names, place = tuple(part.strip() for part in key.split(",")), f"{where}: axes.{key}"
        for name in names:
            check_path(name, paths, f"{where}: axes")
            if name in seen:
                raise ConfigError(f"{place}: '{name}' is on two axes")
            seen.add(name)
        if isinstance(given, RangeSpec):
            axes.append(_range_axis(names, given, paths[names[0]] == INTEGER, place))
        elif len(names) == 1:
            axes.append(Axis(names, tuple((_scalar(value, paths[names[0]], place),) for value in given)))
        else:
            axes.append(Axis(names, tuple(_row(value, names, paths, place) for value in given)))
    return axes


def _range_axis(names: tuple[str, ...], given: RangeSpec, whole_numbers: bool, place: str) -> Axis:
    if len(names) > 1:
        raise ConfigError(f"{place}: paths that change together need listed values, a list of {len(names)} for each point")
    low, high, geometric = float(given.ends[0]), float(given.ends[1]), given.geom is not None
    if given.count is None:
        return Axis(names, (), min(low, high), max(low, high), geometric, whole_numbers)
    spaced = np.geomspace(low, high, given.count) if geometric else np.linspace(low, high, given.count)
    values = [round(value) if whole_numbers else value for value in spaced.tolist()]
    return Axis(names, tuple((value,) for value in values))


def _scalar(value: Any, kind: str, place: str) -> Any:
    if isinstance(value, list) or value is None or (isinstance(value, dict) and kind != BAND):
        raise ConfigError(f"{place}: {value!r} is not a single value")
    return value


def _row(value: Any, names: tuple[str, ...], paths: Mapping[str, str], place: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != len(names):
        raise ConfigError(f"{place}: {value!r} must be a list of {len(names)} values, one for each path")
    return tuple(_scalar(one, paths[name], place) for one, name in zip(value, names, strict=True))


def settings_of(spec: SweepSpec, axes: list[Axis], paths: Mapping[str, str], where: str) -> Iterator[Settings]:
    """Settings of every point, in the sweep's order. Raises ConfigError on axes that cannot be combined so."""
    if spec.points:
        yield from _listed(spec, paths, where)
    elif spec.combine in ("random", "sobol"):
        for row in _draws(spec, len(axes)):
            yield _merged(axis.at(part) for axis, part in zip(axes, row.tolist(), strict=True))
    else:
        lengths = {axis.name: len(axis.values) for axis in axes}
        if spec.combine == "zip" and len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise ConfigError(f"{where}: combine: zip needs axes of equal length, not {shown}")
        if spec.combine == "grid" and math.prod(lengths.values()) > MAX_POINTS:
            raise ConfigError(f"{where}: the grid has {math.prod(lengths.values()):,} points; at most {MAX_POINTS:,}")
        indexes = [range(length) for length in lengths.values()]
        for chosen in zip(*indexes, strict=True) if spec.combine == "zip" else itertools.product(*indexes):
            yield _merged(axis.nth(index) for axis, index in zip(axes, chosen, strict=True))


def _listed(spec: SweepSpec, paths: Mapping[str, str], where: str) -> Iterator[Settings]:
    for number, point in enumerate(spec.points, start=1):
        place = f"{where}: points, number {number}"
        for path, value in point.items():
            check_path(path, paths, place)
            _scalar(value, paths[path], f"{place}: {path}")
        yield dict(point)


def _draws(spec: SweepSpec, dimensions: int) -> NDArray[np.float64]:
    assert spec.samples is not None
    if spec.combine == "random":
        return np.random.default_rng(spec.seed).random((spec.samples, dimensions))
    from scipy.stats import qmc  # slow to import, and only Sobol needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # balance is lost for counts that are no power of two: the user's choice
        return np.asarray(qmc.Sobol(dimensions, scramble=True, rng=spec.seed).random(spec.samples))


def _merged(parts: Iterator[Settings]) -> Settings:
    return {path: value for part in parts for path, value in part.items()}
