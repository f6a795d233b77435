"""Matrix-vector products with stored weights."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class LinearShape:
    """A matrix of ``outputs`` rows of ``inputs``; ``bias``: ``<weight>.bias`` is added. ``offset``: where its input begins in the operand."""

    inputs: int
    outputs: int
    bias: bool = False
    offset: int = 0


class Linear(OpKind):
    """A product with a matrix."""

    name, shape = "vmm", LinearShape

    def macs(self, shape: LinearShape, seen: int) -> int:
        return shape.inputs * shape.outputs

    def element_work(self, shape: LinearShape, seen: int) -> int:
        return shape.outputs if shape.bias else 0

    def weights(self, shape: LinearShape) -> int:
        return shape.inputs * shape.outputs + (shape.outputs if shape.bias else 0)

    def activations(self, shape: LinearShape, seen: int) -> int:
        return shape.inputs + shape.outputs


KINDS = (Linear(),)
