"""Feed-forward layers: two matrices, or three with a gate."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.oracle.arrays import Floats
from pimsim.oracle.caches import Feed
from pimsim.oracle.functions import Activation
from pimsim.oracle.linear import Linear


@dataclass(frozen=True, eq=False)
class Plain:
    """``down(activation(up(x)))``."""

    up: Linear
    down: Linear
    activation: Activation

    def __call__(self, x: Floats, feed: Feed | None = None) -> Floats:
        """x (rows, width) to (rows, width)."""
        return self.down(self.activation(self.up(x)))


@dataclass(frozen=True, eq=False)
class Gated:
    """``down(activation(gate(x)) x up(x))``; ``gate_scale`` multiplies the gate before its activation, ``down_scale`` the result."""

    gate: Linear
    up: Linear
    down: Linear
    activation: Activation
    gate_scale: float = 1.0
    down_scale: float = 1.0

    def __call__(self, x: Floats, feed: Feed | None = None) -> Floats:
        """x (rows, width) to (rows, width)."""
        return self.down(self.activation(self.gate(x) * self.gate_scale) * self.up(x)) * self.down_scale
