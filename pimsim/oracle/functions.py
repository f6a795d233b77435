"""Activations and the softmax, by their definitions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erf, expit

from pimsim.errors import nearest
from pimsim.oracle.arrays import Floats
from pimsim.oracle.config import HubConfig

Activation = Callable[[Floats], Floats]


def gelu(x: Floats) -> Floats:
    """x times the normal distribution function."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))  # type: ignore[no-any-return]


def gelu_tanh(x: Floats) -> Floats:
    """GELU by a hyperbolic tangent."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_logistic(x: Floats) -> Floats:
    """GELU by a logistic function of 1.702 x."""
    return x * sigmoid(1.702 * x)


def sigmoid(x: Floats) -> Floats:
    """Logistic function."""
    return expit(x)  # type: ignore[no-any-return]


def silu(x: Floats) -> Floats:
    """x times its logistic function."""
    return x * sigmoid(x)


def relu(x: Floats) -> Floats:
    """The positive part."""
    return np.maximum(x, 0)


def relu_squared(x: Floats) -> Floats:
    """Square of the positive part."""
    return np.maximum(x, 0) ** 2


def softplus(x: Floats) -> Floats:
    """ln(1 + exp x)."""
    return np.logaddexp(0, x)


def softmax(x: Floats) -> Floats:
    """Shares along the last axis; a score of -inf gets none."""
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)  # type: ignore[no-any-return]


ACTIVATIONS: dict[str, Activation] = {
    "gelu": gelu, "gelu_python": gelu, "gelu_new": gelu_tanh, "gelu_fast": gelu_tanh, "gelu_pytorch_tanh": gelu_tanh,
    "gelu_python_tanh": gelu_tanh, "quick_gelu": gelu_logistic, "silu": silu, "swish": silu, "relu": relu, "relu2": relu_squared,
    "tanh": np.tanh, "sigmoid": sigmoid,
}  # fmt: skip


def activation(config: HubConfig, *names: str, default: str | None = None) -> Activation:
    """The activation that the first present of ``names`` names. Raises ConfigError for one that is not known."""
    name = config.text(*names, default=default) if default else config.text(*names)
    if name not in ACTIVATIONS:
        raise config.error(names[0], f"'{name}' is not understood{nearest(name, ACTIVATIONS)}; allowed: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]
