"""A step's operations one after another with their context: what lowering reads until it takes sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pimsim.workload.graph import GraphSection
from pimsim.workload.kinds import kind_named, positions_seen
from pimsim.workload.kinds.attention import AttentionShape
from pimsim.workload.ops import SECTION_INPUT, Op

EMBEDDING, LAYER_NORM, VMM, KV_WRITE, SCORES, SOFTMAX, CONTEXT, GELU, RESIDUAL, SELECT = (
    "embedding", "layer_norm", "vmm", "kv_write", "scores", "softmax", "context", "gelu", "residual", "select",
)  # fmt: skip
RMS_NORM, ROPE, SWIGLU = "rms_norm", "rope", "swiglu"


@dataclass(frozen=True)
class UnrolledOp:
    """An operation of one layer for a token that sees ``context`` positions; see ``workload.ops.Op`` for what it stands for."""

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
    macs: int = 0

    @property
    def label(self) -> str:
        """The operation without its layer: what reports add up over."""
        return self.name.rsplit(".", 1)[-1]


def unrolled(sections: tuple[GraphSection, ...], context: int, with_head: bool) -> list[UnrolledOp]:
    """Operations of a step in issue order."""
    found: list[UnrolledOp] = []
    for section in sections:
        if section.rows == "logits" and not with_head:
            continue
        for layer in section.layers or (-1,):
            found += _layer(section, layer, found[-1].name if found else "", context)
    return found


def _layer(section: GraphSection, layer: int, stream: str, context: int) -> Iterator[UnrolledOp]:
    attention = next((op.shape for op in section.ops if isinstance(op.shape, AttentionShape)), None)
    prefix = f"{section.prefix}{layer}." if section.layers else ""
    for op in section.ops:
        needs = tuple(stream if name == SECTION_INPUT else prefix + name for name in op.needs)
        seen = positions_seen(op.shape, context)
        weight = prefix + op.weight if op.weight else ""
        fields = _fields(op, seen, attention, context)
        macs = kind_named(op.kind).macs(op.shape, seen)
        yield UnrolledOp(prefix + op.name, fields.pop("kind", op.kind), needs, layer, weight=weight, macs=macs, **fields)


def _fields(op: Op, seen: int, attention: Any, context: int) -> dict[str, Any]:
    shape = op.shape
    if op.kind == VMM:
        return {"inputs": shape.inputs, "outputs": shape.outputs, "bias": shape.bias}
    if op.kind in (KV_WRITE, SCORES, SOFTMAX, CONTEXT):
        heads = {
            "heads": attention.heads, "kv_heads": attention.kv_heads, "head_width": attention.key_width, "context": context,
        }  # fmt: skip
        if op.kind == CONTEXT:
            return heads | {"outputs": shape.heads * shape.value_width}
        if op.kind == KV_WRITE:
            return heads | {"inputs": shape.heads * shape.width}
        return heads | {"inputs": shape.heads * (seen if op.kind == SOFTMAX else shape.key_width)}
    if op.kind == ROPE:
        return {"inputs": shape.heads * shape.head_width}
    if op.kind in ("activation", "gated_activation"):
        return {"inputs": shape.width, "kind": GELU if op.kind == "activation" else SWIGLU}
    return {"inputs": shape.width, "bias": getattr(shape, "shifts", 0) > 0}
