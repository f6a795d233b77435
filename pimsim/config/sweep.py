"""Schema of a sweep file: bases, axes, constraints, objectives, limits, and how the points are chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from pimsim.config.layers import read_layers
from pimsim.config.load import validate
from pimsim.config.model import Name, SpecModel, unit
from pimsim.errors import nearest

FOLDER = "workloads/sweeps"
MAX_POINTS = 1_000_000
Text = Annotated[str, Field(min_length=1)]
Ends = Annotated[list[float | int], Field(min_length=2, max_length=3)]
Positive = Annotated[int, Field(ge=1, le=MAX_POINTS)]


class RangeSpec(SpecModel):
    """Values from ``a`` to ``b``, evenly spaced (``lin``) or in equal ratios (``geom``): ``[a, b, n]``.

    ``[a, b]`` is the whole range, from which random, Sobol and Optuna points are drawn. Whole-number paths get rounded values.
    """

    lin: Ends | None = None
    geom: Ends | None = None

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        unknown = [key for key in value if key not in cls.model_fields] if isinstance(value, dict) else []
        if unknown:
            raise ValueError(
                f"unknown key '{unknown[0]}'{nearest(unknown[0], cls.model_fields)}; an axis is a list of values, "
                "lin: [a, b, n] or geom: [a, b, n]"
            )
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> RangeSpec:
        if (self.lin is None) == (self.geom is None):
            raise ValueError("give one of lin: [a, b, n] and geom: [a, b, n]")
        if self.geom is not None and min(self.geom[:2]) <= 0:
            raise ValueError(f"geom {self.geom[:2]}: both ends must be above 0")
        if self.count is not None and (self.count < 1 or self.count != self.ends[2] or self.count > MAX_POINTS):
            raise ValueError(f"the number of values, {self.ends[2]:g}, must be a whole number from 1 to {MAX_POINTS}")
        return self

    @property
    def ends(self) -> list[float | int]:
        """``[a, b]`` or ``[a, b, n]`` as given."""
        return self.lin if self.lin is not None else self.geom or []

    @property
    def count(self) -> int | None:
        """Number of values; None for a whole range."""
        return int(self.ends[2]) if len(self.ends) == 3 else None


def _axis_kind(value: Any) -> str:
    return "range" if isinstance(value, dict | RangeSpec) else "values"


Axis = Annotated[
    Annotated[RangeSpec, Tag("range")] | Annotated[list[Any], Tag("values")],
    Discriminator(_axis_kind),
]


class LimitSpec(SpecModel):
    """Bounds of a figure; a point outside is infeasible."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _bounds(self) -> LimitSpec:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: no point can satisfy it")
        return self


class OptunaSpec(SpecModel):
    """A search: ``trials`` points, chosen ``batch`` at a time so that the choice does not depend on the number of workers.

    ``start`` lists points to try first, each with a value for every axis.
    """

    sampler: Literal["nsga2", "tpe"] = unit("1", "search algorithm", default="nsga2")
    trials: Positive = unit("points", "points a search may run")
    objectives: Annotated[list[Text], Field(min_length=1)]
    batch: Annotated[int, Field(ge=1, le=1000)] = unit("points", "points chosen at once; NSGA-II's population", default=20)
    start: list[dict[str, Any]] = Field(default_factory=list)


class StrategySpec(SpecModel):
    """How points are chosen where not all are run."""

    optuna: OptunaSpec


class SweepSpec(SpecModel):
    """A validated sweep. ``axes`` maps a dotted path, or several separated by commas that change together, to values."""

    name: Name
    description: str = ""
    source: str = ""
    hardware: Text = unit("1", "hardware that the points change", default="pim_gpt")
    workload: Text = unit("1", "workload that the points change", default="gpt2_small")
    tokens: Annotated[int, Field(ge=1)] | None = unit("tokens", "tokens to generate", default=None)
    prompt: Annotated[int, Field(ge=1)] | None = unit("tokens", "tokens in the prompt", default=None)
    settings: dict[str, Any] = unit("1", "path: value for every point", default_factory=dict)
    axes: dict[str, Axis] = unit("1", "values by dotted path", default_factory=dict)
    points: list[dict[str, Any]] = unit("1", "points one by one, instead of axes", default_factory=list)
    combine: Literal["grid", "zip", "random", "sobol"] = unit("1", "how the axes make points", default="grid")
    samples: Positive | None = unit("points", "points drawn by random and sobol", default=None)
    seed: Annotated[int, Field(ge=0, le=1 << 31)] = 0
    derive: dict[str, Text] = unit("1", "path: expression of other paths", default_factory=dict)
    where: list[Text] = unit("1", "conditions a point must meet", default_factory=list)
    objectives: Annotated[list[Text], Field(min_length=1, default_factory=lambda: ["latency_s", "energy_j"])]
    limits: dict[str, LimitSpec] = unit("1", "min and max of figures; a point outside is infeasible", default_factory=dict)
    strategy: StrategySpec | None = None

    @model_validator(mode="after")
    def _consistent(self) -> SweepSpec:
        if bool(self.axes) == bool(self.points):
            raise ValueError("give axes (combined as grid, zip, random or sobol) or points (a list), one of the two")
        for path, values in self.axes.items():
            if isinstance(values, list) and not values:
                raise ValueError(f"axes.{path}: empty: an axis needs at least one value")
        if self.strategy is not None and (self.points or self.combine != "grid"):
            raise ValueError("strategy: a search chooses its own points from the axes; drop points and combine")
        drawn = self.combine in ("random", "sobol")
        if drawn != (self.samples is not None):
            raise ValueError(f"samples is {'needed by' if drawn else 'not for'} combine: {self.combine}")
        whole = [path for path, axis in self.axes.items() if isinstance(axis, RangeSpec) and axis.count is None]
        if whole and not drawn and self.strategy is None:
            raise ValueError(
                f"axes.{whole[0]}: [a, b] is a whole range, for random, sobol or a search; combine: {self.combine} needs [a, b, n]"
            )
        return self


def load_sweep(name_or_path: str | Path) -> tuple[SweepSpec, Path]:
    """Load a sweep: a shipped name (``channels``) or a path. Returns it with the file it came from.

    Raises ConfigError on anything unknown, missing, mistyped or contradictory.
    """
    layered = read_layers(str(name_or_path), FOLDER, "sweep")
    return validate(SweepSpec, layered.values, layered.where), Path(layered.files[-1])
