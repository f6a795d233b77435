"""A sweep file made ready to run: everything that can be wrong with it is found here, before anything is simulated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pimsim.config.expression import Expression, read_expression
from pimsim.config.hardware import HardwareSpec
from pimsim.config.load import validate
from pimsim.config.paths import check_path, settable_paths
from pimsim.config.standards import standard_of
from pimsim.config.sweep import SweepSpec, load_sweep
from pimsim.errors import ConfigError
from pimsim.explore.axes import Axis, Settings, read_axes, settings_of
from pimsim.explore.objectives import broken_limit, objective_named, static_figures
from pimsim.explore.points import DesignPoint, Resolver
from pimsim.explore.start import starting_params
from pimsim.result.provenance import package_version

NEEDS_AREA = ("area_mm2", "cost_usd")


@dataclass(frozen=True)
class SweepPlan:
    """A checked sweep: ``axes`` to choose from, ``paths`` that exist, and the resolver that makes points of settings."""

    spec: SweepSpec
    where: str
    axes: list[Axis]
    paths: dict[str, str]
    resolver: Resolver

    @property
    def objectives(self) -> list[str]:
        """Names of the columns aimed at, the search's if there is one."""
        names = self.spec.strategy.optuna.objectives if self.spec.strategy else self.spec.objectives
        return [objective_named(name, self.where).name for name in names]

    @property
    def identity(self) -> str:
        """Hash of the sweep, its base files and the package version, which its points in a store are listed under."""
        content = [self.spec.model_dump_json(), self.resolver.base_values(), package_version()]
        return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()

    def point(self, settings: Settings) -> DesignPoint | None:
        """The point with ``settings``, refused if the hardware alone breaks a limit; None if ``where`` leaves it out."""
        point = self.resolver.resolve(settings)
        if point is None or point.hardware is None or point.refused:
            return point
        try:
            return replace(point, refused=broken_limit(self.spec.limits, static_figures(point.hardware)))
        except ConfigError as error:
            return replace(point, refused=str(error))

    def points(self) -> list[DesignPoint]:
        """All points in the sweep's order, equal ones once. Raises ConfigError if the constraints leave none."""
        found: dict[str, DesignPoint] = {}
        total = 0
        for settings in settings_of(self.spec, self.axes, self.paths, self.where):
            total += 1
            point = self.point(settings)
            if point is not None:
                found.setdefault(point.key, point)
        if not found:
            alone = "; ".join(f"'{text}' holds for {count}" for text, count in self.resolver.satisfied.items())
            raise ConfigError(f"{self.where}: where: none of the {total} points satisfies all constraints ({alone})")
        return list(found.values())


def plan_sweep(name_or_path: str | Path) -> SweepPlan:
    """Load and check a sweep: a shipped name or a path. Raises ConfigError naming the file, the place and the nearest name."""
    spec, file = load_sweep(name_or_path)
    where = str(file)
    derive = {path: read_expression(text, f"{where}: derive.{path}") for path, text in spec.derive.items()}
    constraints = [read_expression(text, f"{where}: where") for text in spec.where]
    resolver = Resolver(spec, file.parent, derive, constraints)
    paths = settable_paths(standard_of(hardware) for hardware in _hardware_bases(spec, resolver))
    axes = read_axes(spec, paths, where)
    _check_names(spec, paths, [*derive.values(), *constraints], where)
    _check_objectives(spec, resolver, where)
    if spec.strategy is not None:
        starting_params(spec.strategy.optuna, axes, where)
    plan = SweepPlan(spec, where, axes, paths, resolver)
    for name in _bases(spec, "workload"):
        resolver.base(name, "workload")
    return plan


def _bases(spec: SweepSpec, kind: str) -> list[str]:
    """Names that ``hardware`` or ``workload`` takes anywhere in the sweep."""
    names: list[Any] = [spec.settings.get(kind, getattr(spec, kind))]
    for key, axis in spec.axes.items():
        parts = [part.strip() for part in key.split(",")]
        if kind in parts and isinstance(axis, list):
            at = parts.index(kind)
            names += [value[at] if len(parts) > 1 and isinstance(value, list) and len(value) > at else value for value in axis]
    names += [point[kind] for point in spec.points if kind in point]
    return [str(name) for name in dict.fromkeys(map(str, names))]


def _hardware_bases(spec: SweepSpec, resolver: Resolver) -> Iterator[HardwareSpec]:
    for name in _bases(spec, "hardware"):
        layered = resolver.base(name, "hardware")
        yield validate(HardwareSpec, layered.values, layered.where)


def _check_names(spec: SweepSpec, paths: dict[str, str], expressions: list[Expression], where: str) -> None:
    for group in ("settings", "derive"):
        for path in getattr(spec, group):
            check_path(path, paths, f"{where}: {group}")
    on_axes = {part.strip() for key in spec.axes for part in key.split(",")}
    for path in spec.settings:
        if path in on_axes:
            raise ConfigError(f"{where}: settings.{path}: is also an axis; it can be one of them")
    for path in spec.derive:
        if path in on_axes:
            raise ConfigError(f"{where}: derive.{path}: is also an axis; it can be one of them")
        if path in spec.settings or any(path in point for point in spec.points):
            raise ConfigError(f"{where}: derive.{path}: is also set in {'settings' if path in spec.settings else 'points'}")
        if path in ("hardware", "workload"):
            raise ConfigError(f"{where}: derive.{path}: a base cannot be derived")
    for expression in expressions:
        expression.check_names(paths)


def _check_objectives(spec: SweepSpec, resolver: Resolver, where: str) -> None:
    searched = spec.strategy.optuna.objectives if spec.strategy else []
    used = dict.fromkeys(spec.objectives, f"{where}: objectives")
    used |= dict.fromkeys(searched, f"{where}: strategy.optuna.objectives")
    used |= dict.fromkeys(spec.limits, f"{where}: limits")
    for names, place in ((spec.objectives, "objectives"), (searched, "strategy.optuna.objectives")):
        chosen = [objective_named(name, f"{where}: {place}").name for name in names]
        for name in chosen:
            if chosen.count(name) > 1:
                raise ConfigError(f"{where}: {place}: {name} is there more than once")
    for name, place in used.items():
        found = objective_named(name, place).name
        for hardware in _hardware_bases(spec, resolver) if found in NEEDS_AREA else ():
            if hardware.area is None:
                raise ConfigError(f"{place}: {found} needs the group 'area', which hardware {hardware.name} does not have")
