"""Differences between the logits of two models, and the ranges that a model's functions were called on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.asic.numerics import Function, Numerics, exact_erf
from pimsim.functional.bf16 import FloatArray

DoubleArray = NDArray[np.float64]
GRID = 4097
NEGLIGIBLE = 2.0**-8


@dataclass(frozen=True)
class StepDifference:
    """One step: whether both select the same token, errors of the logits, and KL(reference || run) in nats."""

    same_token: bool
    logits_max_error: float
    logits_mean_error: float
    logits_spread: float
    kl_divergence: float


def difference(logits: FloatArray, reference: FloatArray) -> StepDifference:
    """Compare the logits of one step; ``logits_spread`` is the reference's standard deviation, to judge the errors by."""
    error = np.abs(logits.astype(np.float64) - reference)
    same = int(np.argmax(logits)) == int(np.argmax(reference))
    ours, theirs = _log_shares(logits), _log_shares(reference)
    divergence = float(np.sum(np.exp(theirs) * (theirs - ours)))
    return StepDifference(same, float(error.max()), float(error.mean()), float(reference.std()), max(0.0, divergence))


def summary(steps: Sequence[StepDifference]) -> dict[str, Any]:
    """All steps of a run: agreement, the step of the first other token (or null), worst errors, and each step's figures."""
    other = [i for i, step in enumerate(steps) if not step.same_token]
    return {
        "token_agreement": 1 - len(other) / len(steps),
        "first_other_token": other[0] if other else None,
        "logits_max_error": max(step.logits_max_error for step in steps),
        "logits_mean_error": float(np.mean([step.logits_mean_error for step in steps])),
        "kl_divergence_max": max(step.kl_divergence for step in steps),
        "kl_divergence_mean": float(np.mean([step.kl_divergence for step in steps])),
        "steps": [asdict(step) for step in steps],
    }


@dataclass
class Ranges:
    """Smallest and largest input of each function, and how many inputs there were."""

    low: dict[str, float] = field(default_factory=dict)
    high: dict[str, float] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)

    def watch(self, numerics: Numerics) -> Numerics:
        """``numerics``, with every call recorded here."""
        return Numerics(*(self._watched(part.name, getattr(numerics, part.name)) for part in fields(Numerics)))

    def _watched(self, name: str, function: Function) -> Function:
        def call(x: FloatArray) -> FloatArray:
            self.low[name] = min(self.low.get(name, np.inf), float(x.min()))
            self.high[name] = max(self.high.get(name, -np.inf), float(x.max()))
            self.inputs[name] = self.inputs.get(name, 0) + x.size
            return function(x)

        return call


def function_errors(approximate: Numerics, ranges: Ranges) -> dict[str, dict[str, float]]:
    """Errors of each watched function against float64 on a grid over its range; geometric for 1 / x and 1 / sqrt(x).

    The relative error is over results of at least 2^-8 of the largest; smaller ones count in the absolute error only.
    """
    return {
        name: {
            "input_min": ranges.low[name],
            "input_max": ranges.high[name],
            "inputs": ranges.inputs[name],
            **errors_on(getattr(approximate, name), name, ranges.low[name], ranges.high[name]),
        }
        for name in ranges.inputs
    }


def errors_on(function: Function, name: str, low: float, high: float) -> dict[str, float]:
    """Largest and mean absolute, and largest relative error of ``function`` on a grid from ``low`` to ``high``."""
    spaced = np.geomspace if name in ("reciprocal", "rsqrt") else np.linspace
    x = spaced(low, high, GRID).astype(np.float32)
    expected = REFERENCES[name](x.astype(np.float64))
    error = np.abs(function(x) - expected)
    large = np.abs(expected) >= NEGLIGIBLE * np.abs(expected).max()
    return {
        "max_abs_error": float(error.max()),
        "mean_abs_error": float(error.mean()),
        "max_rel_error": float((error[large] / np.abs(expected[large])).max()),
    }


def _gelu(x: DoubleArray) -> DoubleArray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


REFERENCES: dict[str, Callable[[DoubleArray], DoubleArray]] = {
    "exp": np.exp,
    "gelu": _gelu,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "gelu_erf": lambda x: 0.5 * x * (1 + exact_erf(x / np.sqrt(2))),
    "softplus": lambda x: np.logaddexp(0, x),
    "sine": np.sin,
    "cosine": np.cos,
}


def _log_shares(logits: FloatArray) -> DoubleArray:
    shifted = logits.astype(np.float64) - logits.max()
    return shifted - np.log(np.exp(shifted).sum())  # type: ignore[no-any-return]
