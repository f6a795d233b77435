"""Operations of one decoding step: shapes and dependencies, nothing about hardware."""

from __future__ import annotations

from dataclasses import dataclass

EMBEDDING, LAYER_NORM, VMM, KV_WRITE, SCORES, SOFTMAX, CONTEXT, GELU, RESIDUAL, SELECT = (
    "embedding", "layer_norm", "vmm", "kv_write", "scores", "softmax", "context", "gelu", "residual", "select",
)  # fmt: skip
RMS_NORM, ROPE, SWIGLU = "rms_norm", "rope", "swiglu"


@dataclass(frozen=True)
class Op:
    """One operation on one token's activations.

    ``outputs`` x ``inputs`` is the shape of the matrix of a ``vmm``; element-wise operations have ``inputs`` elements.
    ``scores`` and ``context`` work on ``heads`` heads of ``head_width`` against ``kv_heads`` K or V heads of ``context``
    tokens. ``weight`` names the tensor that is read; ``bias`` says whether ``<weight>.bias`` (``outputs`` elements) is
    added, or scale and shift for a norm. ``needs`` are the names of the operations whose results it reads. ``rope``
    rotates ``inputs`` elements by the position; ``swiglu`` multiplies ``inputs`` activated gates into as many values.
    """

    name: str
    kind: str
    needs: tuple[str, ...]
    layer: int = -1
    inputs: int = 0
    outputs: int = 0
    weight: str = ""
    bias: bool = False
    heads: int = 0
    kv_heads: int = 0
    head_width: int = 0
    context: int = 0

    @property
    def label(self) -> str:
        """The operation without its layer: what reports add up over."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the matrix-vector product, without padding; 0 for everything else."""
        if self.kind == VMM:
            return self.outputs * self.inputs
        if self.kind in (SCORES, CONTEXT):
            return self.heads * self.head_width * self.context
        return 0


@dataclass(frozen=True)
class Tensor:
    """A stored parameter: a matrix of ``outputs`` rows of ``inputs``, or a vector (``inputs`` = 1)."""

    name: str
    outputs: int
    inputs: int

    @property
    def elements(self) -> int:
        """Number of parameters."""
        return self.outputs * self.inputs
