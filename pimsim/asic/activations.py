"""What activations cost the ASIC: additions and multiplications of each, by the name a description gives."""

from __future__ import annotations

from collections.abc import Callable

from pimsim.asic.chains import erf_chain, exp_chain, reciprocal_chain, sigmoid_chain, softplus_chain, tanh_chain
from pimsim.asic.work import Stage, chain
from pimsim.config.hardware import AsicSpec
from pimsim.workload.kinds.activation import GatedShape

Operations = tuple[int, int]


def _gelu(asic: AsicSpec) -> Operations:
    """x sigmoid(2 u) with u = sqrt(2/pi) (x + 0.044715 x^3): cube (3 muls, 1 add), scale, exp, 1 + e, reciprocal, product."""
    exp_adds, exp_muls = exp_chain(asic.gelu_taylor_terms)
    inverse_adds, inverse_muls = reciprocal_chain(asic.reciprocal_newton_steps)
    return 1 + exp_adds + 1 + inverse_adds, 3 + 1 + exp_muls + inverse_muls + 1


def _gelu_erf(asic: AsicSpec) -> Operations:
    """x / 2 (1 + erf(x / sqrt 2)): scale, erf, an addition, two products."""
    adds, muls = erf_chain(asic.gelu_taylor_terms, asic.reciprocal_newton_steps)
    return adds + 1, muls + 3


def _silu(asic: AsicSpec) -> Operations:
    adds, muls = _sigmoid(asic)
    return adds, muls + 1


def _quick_gelu(asic: AsicSpec) -> Operations:
    """x sigmoid(1.702 x)."""
    adds, muls = _sigmoid(asic)
    return adds, muls + 2


def _clamped_swiglu(asic: AsicSpec) -> Operations:
    """Three comparisons, gate sigmoid(1.702 gate), up + 1; the product with it is the gate's own."""
    adds, muls = _quick_gelu(asic)
    return adds + 4, muls


def _sigmoid(asic: AsicSpec) -> Operations:
    return sigmoid_chain(asic.gelu_taylor_terms, asic.reciprocal_newton_steps)


def _tanh(asic: AsicSpec) -> Operations:
    return tanh_chain(asic.gelu_taylor_terms, asic.reciprocal_newton_steps)


def _softplus(asic: AsicSpec) -> Operations:
    return softplus_chain(asic.gelu_taylor_terms, asic.reciprocal_newton_steps)


ACTIVATIONS: dict[str, Callable[[AsicSpec], Operations]] = {
    "gelu": _gelu,
    "gelu_erf": _gelu_erf,
    "relu": lambda asic: (1, 0),
    "relu2": lambda asic: (1, 1),
    "silu": _silu,
    "quick_gelu": _quick_gelu,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": _softplus,
    "identity": lambda asic: (0, 0),
    "clamped_swiglu": _clamped_swiglu,
}


def activation(function: str, width: int, asic: AsicSpec) -> list[Stage]:
    """``function`` of ``width`` elements."""
    return [chain(*ACTIVATIONS[function](asic), width)]


def gated(shape: GatedShape, width: int, asic: AsicSpec) -> list[Stage]:
    """A function of ``width`` gates, times a value; a product more if the gates are scaled first."""
    adds, muls = ACTIVATIONS[shape.function](asic)
    return [chain(adds, muls + 1 + int(shape.gate_scale != 1.0), width)]


def soft_cap(width: int, asic: AsicSpec) -> list[Stage]:
    """cap tanh(x / cap) of ``width`` elements."""
    adds, muls = _tanh(asic)
    return [chain(adds, muls + 2, width)]
