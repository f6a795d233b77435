"""Arithmetic and memory traffic of a decoding step on a baseline device: what its operations' kinds declare, summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.build import ENCODER
from pimsim.workload.graph import GraphSection
from pimsim.workload.kinds import kind_named, positions_seen
from pimsim.workload.kinds.experts import ExpertLinearShape
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Op

LINEAR = "vmm"
PRODUCTS = (LINEAR, "head_vmm", "expert_vmm")


@dataclass(frozen=True)
class OpCost:
    """Cost of one operation that occurs ``count`` times in a step; ``x + x_slope * seen`` where it sees ``seen`` positions.

    ``weights`` and ``kv`` are elements read from (or appended to) stored parameters and to K, V or state; ``activations`` are
    elements read and written between operations. ``window``: most positions it sees; 0 for all. ``state``: elements of state read and
    written once by a step, or by one pass over many tokens. ``chosen``: the part of stored parameters that a row chooses to read.
    """

    kind: str
    count: int
    flop: float
    flop_slope: float
    weights: float
    kv: float
    kv_slope: float
    activations: float
    window: int = 0
    state: float = 0.0
    chosen: float = 1.0

    def weights_of(self, rows: int) -> float:
        """Parameters read by ``rows`` rows together: where each chooses by itself, what at least one of them chose, on average."""
        return self.weights if self.chosen == 1.0 else self.weights * (1 - (1 - self.chosen) ** rows) / self.chosen

    def seen(self, contexts: Any) -> NDArray[np.float64]:
        """Positions that it sees at each context."""
        at = np.asarray(contexts, np.float64)
        return np.minimum(at, self.window) if self.window else at

    def flop_at(self, contexts: Any) -> NDArray[np.float64]:
        """Floating-point operations at each context."""
        return self.flop + self.flop_slope * self.seen(contexts)

    def kv_at(self, contexts: Any) -> NDArray[np.float64]:
        """Elements of K, V or state read and written at each context."""
        return self.kv + self.kv_slope * self.seen(contexts)


def flop(op: Op, context: int, encoder: int = 0) -> int:
    """Two for each multiply-accumulate, and the estimate for element-wise work."""
    kind, seen = kind_named(op.kind), positions_seen(op.shape, context, encoder)
    return 2 * kind.macs(op.shape, seen) + kind.element_work(op.shape, seen)


def moved_elements(op: Op, context: int, encoder: int = 0) -> int:
    """Elements read and written: parameters, K, V or state, and activations."""
    kind, seen = kind_named(op.kind), positions_seen(op.shape, context, encoder)
    kept = kind.cache_reads(op.shape, seen) + kind.cache_writes(op.shape, seen) + 2 * kind.state_elements(op.shape)
    return kind.weights(op.shape) + kept + kind.activations(op.shape, seen)


def body_costs(model: DecoderModel, encoder: int = 0) -> list[OpCost]:
    """Costs of a step up to the last layer, equal operations counted once; ``encoder``: tokens that cross-attention sees."""
    return _costs(model, "all", encoder)


def encoder_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of an encoder's row, the keys and values of cross-attention among them; none without an encoder."""
    return costs_of_sections(model.sections(ENCODER), 0) if ENCODER in model.stacks else []


def head_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of what selects a token: final norm, LM head, selection."""
    return _costs(model, "logits")


def step_costs(model: DecoderModel, encoder: int = 0) -> list[OpCost]:
    """Costs of a step that selects a token."""
    return body_costs(model, encoder) + head_costs(model)


def layer_product_costs(model: DecoderModel) -> list[OpCost]:
    """Costs of the weight matrix products inside the layers alone."""
    layers = [section for section in model.sections() if section.layers]
    return [cost for cost in costs_of_sections(layers, 0) if cost.kind in PRODUCTS]


def _costs(model: DecoderModel, rows: str, encoder: int = 0) -> list[OpCost]:
    return costs_of_sections([section for section in model.sections() if section.rows == rows], encoder)


def costs_of_sections(sections: Iterable[GraphSection], encoder: int = 0) -> list[OpCost]:
    """Costs of the operations of ``sections``, equal ones counted once."""
    counted: Counter[tuple[str, Any]] = Counter()
    for section in sections:
        for op in section.ops:
            counted[op.kind, op.shape] += section.times
    return [_cost(kind, shape, count, encoder) for (kind, shape), count in counted.items()]


def _cost(name: str, shape: Any, count: int, encoder: int) -> OpCost:
    """Every quantity of a kind is linear in the positions seen, so two of them (1 and 2) give it exactly."""
    kind = kind_named(name)
    window = getattr(shape, "window", None) or 0

    def flop_of(seen: int) -> int:
        return 2 * kind.macs(shape, seen) + kind.element_work(shape, seen)

    def kept(seen: int) -> int:
        return kind.cache_reads(shape, seen) + kind.cache_writes(shape, seen)

    rest = (kind.weights(shape), kind.activations(shape, 1), 2.0 * kind.state_elements(shape), _chosen(shape))
    weights, activations, state, chosen = rest
    if getattr(shape, "of_encoder", False):
        return OpCost(name, count, flop_of(encoder), 0, weights, kept(encoder), 0, activations, 0, state, chosen)
    flop_slope, kv_slope = flop_of(2) - flop_of(1), kept(2) - kept(1)
    return OpCost(
        name,
        count,
        flop_of(1) - flop_slope,
        flop_slope,
        weights,
        kept(1) - kv_slope,
        kv_slope,
        activations,
        window,
        state,
        chosen,
    )


def _chosen(shape: Any) -> float:
    """The part of experts that one row runs; 1 for what does not choose."""
    return shape.chosen / shape.experts if isinstance(shape, ExpertLinearShape) else 1.0
