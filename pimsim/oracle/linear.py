"""Matrices that act on rows."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.oracle.arrays import Floats


@dataclass(frozen=True, eq=False)
class Linear:
    """``x @ weight.T + bias``: weight (outputs, inputs), bias (outputs,), x (rows, inputs)."""

    weight: Floats
    bias: Floats | None = None

    def __call__(self, x: Floats) -> Floats:
        y: Floats = x @ self.weight.T
        return y if self.bias is None else y + self.bias

    def part(self, begin: int, end: int) -> Linear:
        """The linear map to outputs ``begin`` to ``end`` alone."""
        return Linear(self.weight[begin:end], None if self.bias is None else self.bias[begin:end])

    def picked(self, outputs: Floats) -> Linear:
        """The linear map to the listed outputs, in that order."""
        return Linear(self.weight[outputs], None if self.bias is None else self.bias[outputs])
