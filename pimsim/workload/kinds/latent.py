"""Products with a small matrix for each head: folding queries into a latent's space, and unfolding values from it."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class HeadLinearShape:
    """For each of ``heads``: a matrix of ``outputs`` rows of ``inputs``, times that head's part of the operand.

    A head's part begins at ``offset`` + head x ``stride``. The stored matrix has the heads' rows one after another.
    """

    heads: int
    inputs: int
    outputs: int
    stride: int
    offset: int = 0


class HeadLinear(OpKind):
    """A product with a matrix of its own for each head."""

    name, shape = "head_vmm", HeadLinearShape

    def macs(self, shape: HeadLinearShape, seen: int) -> int:
        return shape.heads * shape.inputs * shape.outputs

    def element_work(self, shape: HeadLinearShape, seen: int) -> int:
        return 0

    def weights(self, shape: HeadLinearShape) -> int:
        return shape.heads * shape.inputs * shape.outputs

    def activations(self, shape: HeadLinearShape, seen: int) -> int:
        return shape.heads * (shape.inputs + shape.outputs)


KINDS = (HeadLinear(),)
