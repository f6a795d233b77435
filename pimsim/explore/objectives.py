"""The figures that sweeps aim at and limit: name, unit, which direction is better, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pimsim.config.device import resolve_device
from pimsim.config.hardware import HardwareSpec
from pimsim.config.sweep import LimitSpec
from pimsim.errors import ConfigError, nearest
from pimsim.explore.approximation import approximation_error
from pimsim.explore.area import area_breakdown_mm2, area_mm2, cost_usd
from pimsim.explore.power import peak_power_w
from pimsim.result.run_result import RunResult
from pimsim.units import BYTES_PER_GB


@dataclass(frozen=True)
class Objective:
    """A column of the results; ``static`` ones follow from the hardware alone, before anything is simulated."""

    name: str
    unit: str
    text: str
    maximise: bool = False
    static: bool = False

    @property
    def label(self) -> str:
        """What stands on the axis of a plot."""
        return self.text if self.unit == "1" else f"{self.text} ({self.unit.replace('mm2', 'mm²')})"


OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("latency_s", "s", "latency"),
        Objective("energy_j", "J", "energy"),
        Objective("energy_delay_js", "J s", "energy-delay product"),
        Objective("energy_per_token_j", "J", "energy per token"),
        Objective("average_power_w", "W", "average power"),
        Objective("tokens_per_s", "1/s", "tokens", maximise=True),
        Objective("tokens_per_s_per_w", "1/s/W", "tokens", maximise=True),
        Objective("mac_utilisation", "1", "MAC utilisation", maximise=True),
        Objective("row_hit_rate", "1", "row-hit rate", maximise=True),
        Objective("reserved_gb", "GB", "memory reserved"),
        Objective("area_mm2", "mm2", "silicon area", static=True),
        Objective("cost_usd", "USD", "cost of the silicon", static=True),
        Objective("peak_power_w", "W", "peak power", static=True),
        Objective("power_density_w_per_mm2", "W/mm2", "power density"),
        Objective("approximation_error", "1", "error of the ASIC's approximations", static=True),
        Objective("capacity_gb", "GB", "capacity", maximise=True, static=True),
    )
}
ALIASES = {"energy_delay": "energy_delay_js", "power_w": "average_power_w"}
_TIMED = ("engine.", "provenance.")
_UNTIMED = ("engine.name", "engine.commands", "engine.bursts")


def objective_named(name: str, where: str) -> Objective:
    """The objective called ``name``. Raises ConfigError with the nearest name."""
    name = ALIASES.get(name, name)
    if name not in OBJECTIVES:
        hint = nearest(name, [*OBJECTIVES, *ALIASES])
        raise ConfigError(f"{where}: unknown objective '{name}'{hint}; known: {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


def static_figures(spec: HardwareSpec) -> dict[str, float]:
    """Figures of the hardware alone; those of area only where the hardware file has an ``area`` group."""
    found = {"capacity_gb": spec.dram.organization.capacity_bytes / BYTES_PER_GB}
    if spec.area is not None:
        found |= {"area_mm2": area_mm2(spec), "cost_usd": cost_usd(spec)}
    if spec.asic is not None:
        found["approximation_error"] = approximation_error(spec.asic)
    if spec.pim is not None and spec.energy is not None and spec.dram.currents is not None:
        found["peak_power_w"] = peak_power_w(resolve_device(spec, {}, spec.name))
    return found


def row_of(result: RunResult, spec: HardwareSpec) -> dict[str, Any]:
    """Columns of a finished point: everything that does not depend on the machine or the moment it was simulated."""
    row = {name: value for name, value in result.row().items() if not name.startswith(_TIMED) or name in _UNTIMED}
    energy_j = result.energy_j["nominal"]
    row |= {
        "energy_j": energy_j,
        "energy_delay_js": energy_j * result.latency_s,
        "tokens_per_s_per_w": result.tokens_per_s / result.average_power_w,
        "reserved_gb": result.reserved_bytes / BYTES_PER_GB,
        **static_figures(spec),
    }
    if spec.area is not None:
        row["power_density_w_per_mm2"] = result.average_power_w / row["area_mm2"]
        row |= {f"area_mm2.{which}": area_mm2(spec, which) for which in ("low", "high")}
        row |= {f"area_breakdown_mm2.{part}": area for part, area in area_breakdown_mm2(spec).items()}
    return row


def broken_limit(limits: Mapping[str, LimitSpec], figures: Mapping[str, Any]) -> str | None:
    """Why ``figures`` are outside the limits; None if they are within, or not among them."""
    for given, limit in limits.items():
        name = ALIASES.get(given, given)
        value = figures.get(name)
        if value is None:
            continue
        unit = OBJECTIVES[name].unit
        if limit.max is not None and value > limit.max:
            return f"{name} {value:.6g} {unit} is above the limit of {limit.max:g} {unit}"
        if limit.min is not None and value < limit.min:
            return f"{name} {value:.6g} {unit} is below the limit of {limit.min:g} {unit}"
    return None
