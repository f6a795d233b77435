"""Arithmetic and memory traffic of decoder operations, as exact linear functions of the context length."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from pimsim.errors import ConfigError
from pimsim.workload import ops as k
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Op

# Floating-point operations an element: an estimate, small beside the matrix products.
FLOP_PER_ELEMENT = {
    k.EMBEDDING: 1, k.LAYER_NORM: 8, k.VMM: 0, k.KV_WRITE: 0, k.SCORES: 0, k.SOFTMAX: 5, k.CONTEXT: 0,
    k.GELU: 10, k.RESIDUAL: 1, k.SELECT: 1, k.RMS_NORM: 4, k.ROPE: 3, k.SWIGLU: 6,
}  # fmt: skip


@dataclass(frozen=True)
class OpCost:
    """Cost of one operation that occurs ``count`` times in a step; ``x + x_slope * context`` at a context length.

    ``weights`` and ``kv`` are elements read from (or appended to) stored parameters and K/V; ``activations`` are
    elements read and written between operations.
    """

    kind: str
    count: int
    flop: float
    flop_slope: float
    weights: float
    kv: float
    kv_slope: float
    activations: float


def flop(op: Op) -> float:
    """Two for each multiply-accumulate, one for each bias, and the estimate for element-wise operations."""
    _known(op)
    bias = op.outputs if op.kind == k.VMM and op.bias else 0
    return 2 * op.macs + bias + FLOP_PER_ELEMENT[op.kind] * op.inputs


def weight_elements(op: Op) -> int:
    """Stored parameters that the operation reads."""
    if op.kind == k.VMM:
        return op.outputs * op.inputs + (op.outputs if op.bias else 0)
    if op.kind in (k.LAYER_NORM, k.RMS_NORM):
        return op.inputs * (2 if op.bias else 1)
    return op.inputs if op.kind == k.EMBEDDING else 0


def kv_elements(op: Op) -> int:
    """Elements of K or V that the operation reads or appends."""
    if op.kind in (k.SCORES, k.CONTEXT):
        return op.kv_heads * op.head_width * op.context
    return op.kv_heads * op.head_width if op.kind == k.KV_WRITE else 0


def activation_elements(op: Op) -> int:
    """Elements read from and written for neighbouring operations; attention scores stay on the chip."""
    if op.kind == k.VMM:
        return op.inputs + op.outputs
    if op.kind in (k.SCORES, k.CONTEXT):
        return op.heads * op.head_width
    return {k.SOFTMAX: 0, k.RESIDUAL: 3, k.SWIGLU: 3, k.EMBEDDING: 1, k.SELECT: 1, k.KV_WRITE: 1}.get(op.kind, 2) * op.inputs


def body_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of a step up to the last layer, equal operations counted once.

    Every quantity of the graph is linear in the context, so two graphs (contexts 1 and 2) give it exactly.
    """
    return _costs(model.step(1, with_head=False), model.step(2, with_head=False))


def head_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of what selects a token: final norm, LM head, selection."""
    body = {op.name for op in model.step(1, with_head=False)}
    heads = [[op for op in model.step(context) if op.name not in body] for context in (1, 2)]
    return _costs(*heads)


def step_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of a step that selects a token."""
    return body_costs(model) + head_costs(model)


def layer_product_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of the weight matrix products inside the layers alone."""
    products = [op for op in model.step(1, with_head=False) if op.kind == k.VMM]
    return _costs(products, products)


def _costs(at_one: list[Op], at_two: list[Op]) -> list[OpCost]:
    pairs = Counter(zip(map(_shape, at_one), map(_shape, at_two), strict=True))
    return [_cost(one, two, count) for (one, two), count in pairs.items()]


def _shape(op: Op) -> Op:
    return replace(op, name="", needs=(), layer=-1, weight="")


def _cost(one: Op, two: Op, count: int) -> OpCost:
    flop_slope = flop(two) - flop(one)
    kv_slope = kv_elements(two) - kv_elements(one)
    return OpCost(
        one.kind, count,
        flop(one) - flop_slope, flop_slope,
        weight_elements(one),
        kv_elements(one) - kv_slope, kv_slope,
        activation_elements(one),
    )  # fmt: skip


def _known(op: Op) -> None:
    if op.kind not in FLOP_PER_ELEMENT:
        raise ConfigError(f"operation kind '{op.kind}' has no cost on a baseline device")
