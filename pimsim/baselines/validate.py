"""Predicted against measured: every row, errors per stack, and the calibration that the shipped rows give."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pimsim.baselines.calibration import Observation, fit, predict_s
from pimsim.baselines.measurements import Measurement, read_measurements, shipped_table


@dataclass(frozen=True)
class ValidatedRow:
    """A measured row beside its prediction; ``predicted_ms`` is None where the row is left out for ``exception``."""

    measurement: Measurement
    predicted_ms: float | None

    @property
    def error(self) -> float | None:
        """Predicted over measured, less one."""
        return None if self.predicted_ms is None else self.predicted_ms / self.measurement.measured_ms - 1.0

    def as_dict(self) -> dict[str, Any]:
        """The row for a report: names, times in ms, error as a fraction."""
        row, texts = self.measurement, self.measurement.texts
        device = row.run.baseline.name if row.run else ""
        return {
            "device": texts["device"],
            "model": texts["model"],
            "dtype": texts.get("dtype", ""),
            "framework": texts["framework"],
            "stack": row.stack,
            "baseline": device,
            "devices": row.run.devices if row.run else None,
            "measured_ms": row.measured_ms if row.measured_ms == row.measured_ms else None,
            "predicted_ms": self.predicted_ms,
            "error": self.error,
            "excluded": bool(row.exception),
            "exception": row.exception,
            "source": texts.get("source", ""),
        }


@cache
def shipped_measurements() -> tuple[Measurement, ...]:
    """The shipped rows."""
    return tuple(read_measurements(shipped_table()))


@cache
def shipped_calibration() -> dict[str, float]:
    """Parameters fitted to all shipped rows that are not left out."""
    return fit(_observations(shipped_measurements()))


@cache
def leave_one_out() -> tuple[ValidatedRow, ...]:
    """Every shipped row predicted by parameters fitted without it."""
    return _without(lambda row, other: row is other)


@cache
def leave_source_out() -> tuple[ValidatedRow, ...]:
    """Every shipped row predicted by parameters fitted without any row of its source: how a new source fares."""
    return _without(lambda row, other: row.texts["source"] == other.texts["source"])


def _without(related: Callable[[Measurement, Measurement], bool]) -> tuple[ValidatedRow, ...]:
    rows, everything = shipped_measurements(), shipped_calibration()
    fits: dict[tuple[int, ...], dict[str, float]] = {}
    found = []
    for row in rows:
        if row.exception:
            found.append(ValidatedRow(row, None))
            continue
        kept = tuple(index for index, other in enumerate(rows) if not related(row, other))
        if kept not in fits:
            fits[kept] = fit(_observations(tuple(rows[index] for index in kept)), everything)
        found.append(ValidatedRow(row, predict_s(row.features, fits[kept]) * 1e3))
    return tuple(found)


def validate_table(path: Path) -> tuple[ValidatedRow, ...]:
    """Every row of a user's table predicted by the shipped calibration."""
    parameters = shipped_calibration()
    return tuple(
        ValidatedRow(row, None if row.exception else predict_s(row.features, parameters) * 1e3) for row in read_measurements(path)
    )


def stack_errors(rows: tuple[ValidatedRow, ...]) -> dict[str, dict[str, float | int]]:
    """Median and worst absolute error (fractions) and number of rows, per stack."""
    stacks = sorted({row.measurement.stack for row in rows if row.error is not None})
    errors = {s: [abs(r.error) for r in rows if r.error is not None and r.measurement.stack == s] for s in stacks}
    return {
        stack: {"rows": len(values), "median_abs_error": statistics.median(values), "worst_abs_error": max(values)}
        for stack, values in errors.items()
    }


def error_band(stack: str) -> tuple[float, float] | None:
    """Lowest and highest measured / predicted of a stack's shipped rows, predicted without their source; None without rows."""
    ratios = [1.0 / (1.0 + row.error) for row in leave_source_out() if row.error is not None and row.measurement.stack == stack]
    return (min(1.0, *ratios), max(1.0, *ratios)) if ratios else None


def _observations(rows: tuple[Measurement, ...]) -> list[Observation]:
    return [Observation(row.features, row.measured_ms * 1e-3) for row in rows if not row.exception]
