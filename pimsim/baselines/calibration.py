"""Fit of the step-time model's few physical parameters to measured rows.

Least squares on log(predicted / measured), softened beyond the expected spread so that one odd row does not rule, each parameter held near a stated expectation (its prior) with a stated spread in
log space, so that a parameter which few rows determine stays physical and leaving one row out stays well posed. No row has
a parameter of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.baselines.steptime import StepFeatures, step_time

ROW_SPREAD = 0.12  # expected log error of a measured row: clocks, drivers, versions, rounding of what is published
_ITERATIONS = 40
_STEP = 1e-4


class Parameter(NamedTuple):
    """A fitted quantity: prior value, spread of its logarithm, largest physical value, meaning."""

    name: str
    prior: float
    spread: float
    limit: float
    meaning: str


PARAMETERS = (
    Parameter("efficiency_hbm", 0.85, 0.15, 1.0, "part of peak bandwidth a matrix-vector kernel reaches from HBM"),
    Parameter("efficiency_gddr", 0.88, 0.15, 1.0, "the same from GDDR"),
    Parameter("efficiency_lpddr", 0.75, 0.2, 1.0, "the same from a GPU that shares LPDDR"),
    Parameter("efficiency_ddr", 0.75, 0.2, 1.0, "the same from a GPU on DDR"),
    Parameter("efficiency_cpu", 0.5, 0.3, 1.0, "the same from the cores of a CPU socket"),
    Parameter("efficiency_quantised", 0.85, 0.2, 1.0, "part of that efficiency left where weights are expanded from fewer bits"),
    Parameter("gap_graph_us", 4.0, 0.5, 1e3, "device time of a queued kernel beyond its traffic: start, ramp, tail"),
    Parameter("gap_stream_us", 8.0, 0.5, 1e3, "the same where a compiled program launches kernels one by one"),
    Parameter("gap_measured_us", 3.0, 0.5, 1e3, "the same in kernels timed one by one"),
    Parameter("gap_eager_cpu_us", 20.0, 0.5, 1e3, "dispatch of an operation to CPU threads by Python"),
    Parameter("gap_native_cpu_us", 8.0, 0.5, 1e3, "barrier of CPU threads at every operation of a native program"),
    Parameter("launch_us", 15.0, 0.5, 1e3, "a server host's time to issue one kernel from Python"),
    Parameter("fixed_eager_us", 1500.0, 0.7, 1e6, "host work of a step outside the kernels: generation loop, sampling"),
    Parameter("fixed_compiled_us", 300.0, 0.7, 1e6, "the same around a recorded graph"),
    Parameter("fixed_fused_us", 300.0, 0.7, 1e6, "the same in a serving program"),
    Parameter("all_reduce_compiled_us", 8.0, 0.7, 1e4, "sum over GPUs after attention and after feed-forward, peer-to-peer"),
    Parameter("all_reduce_fused_us", 20.0, 0.7, 1e4, "the same through a collective library"),
)
_PRIORS = {p.name: p.prior for p in PARAMETERS}


class Observation(NamedTuple):
    """A row to fit: its features at one context length, and the measured seconds."""

    features: StepFeatures
    measured_s: float


def predict_s(features: StepFeatures, parameters: Mapping[str, float]) -> float:
    """Mean seconds of the steps that ``features`` describe."""
    return float(step_time(features, parameters).step_s.mean())


def fit(observations: Sequence[Observation], start: Mapping[str, float] | None = None) -> dict[str, float]:
    """Parameters that explain ``observations``; the priors themselves if there are none."""
    values = np.log([(start or _PRIORS)[p.name] for p in PARAMETERS])
    error, damping = _error(values, observations), 1e-3
    for _ in range(_ITERATIONS):
        slope = np.array([(_error(values + shift, observations) - error) / _STEP for shift in np.eye(len(values)) * _STEP]).T
        normal = slope.T @ slope
        move = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -slope.T @ error)
        tried = _error(values + move, observations)
        gain = float(error @ error - tried @ tried)
        if gain > 0:
            values, error, damping = values + move, tried, max(damping / 5, 1e-9)
        else:
            damping *= 10
        if abs(gain) < 1e-6 or damping > 1e9:
            break
    return _named(values)


def _named(values: NDArray[np.float64]) -> dict[str, float]:
    return {p.name: min(float(np.exp(v)), p.limit) for p, v in zip(PARAMETERS, values, strict=True)}


def _error(values: NDArray[np.float64], observations: Sequence[Observation]) -> NDArray[np.float64]:
    named = _named(values)
    rows = np.array([np.log(predict_s(o.features, named) / o.measured_s) / ROW_SPREAD for o in observations])
    held = [(v - np.log(p.prior)) / p.spread for p, v in zip(PARAMETERS, values, strict=True)]
    return np.concatenate([_softened(rows), held])


def _softened(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Errors whose square grows linearly beyond one spread (pseudo-Huber)."""
    return np.sign(error) * np.sqrt(2 * (np.sqrt(1 + error**2) - 1))
