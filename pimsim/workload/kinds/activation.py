"""Element-wise functions, alone or multiplied into a second vector."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind

# Floating-point operations an element, estimated.
FUNCTION_WORK = {
    "gelu": 10, "gelu_erf": 12, "relu": 1, "relu2": 2, "silu": 5, "quick_gelu": 6, "sigmoid": 4, "tanh": 5, "identity": 0,
    "clamped_swiglu": 8,
}  # fmt: skip


@dataclass(frozen=True)
class ActivationShape:
    """``function`` of ``width`` elements of the operand from ``offset`` on."""

    width: int
    function: str
    offset: int = 0


@dataclass(frozen=True)
class GatedShape:
    """``function`` of ``width`` gates, times as many values.

    Gates are the first operand from ``gate_offset`` on, values the last operand (the same one, if there is only one) from
    ``value_offset`` on. ``gate_scale`` multiplies gates first. ``limit``: bound of ``clamped_swiglu``.
    """

    width: int
    function: str
    gate_offset: int = 0
    value_offset: int = 0
    gate_scale: float = 1.0
    limit: float | None = None


class Activation(OpKind):
    """A function of each element."""

    name, shape = "activation", ActivationShape

    def element_work(self, shape: ActivationShape, seen: int) -> int:
        return FUNCTION_WORK[shape.function] * shape.width

    def activations(self, shape: ActivationShape, seen: int) -> int:
        return 2 * shape.width


class GatedActivation(OpKind):
    """A function of each gate, times a value."""

    name, shape = "gated_activation", GatedShape

    def element_work(self, shape: GatedShape, seen: int) -> int:
        return (FUNCTION_WORK[shape.function] + 1) * shape.width

    def activations(self, shape: GatedShape, seen: int) -> int:
        return 3 * shape.width


KINDS = (Activation(), GatedActivation())
