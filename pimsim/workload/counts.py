"""Multiply-accumulates and sizes of a model's graph, exactly."""

from __future__ import annotations

from collections.abc import Iterator

from pimsim.workload.graph import GraphSection
from pimsim.workload.kinds import kind_named, positions_seen
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Op


def op_macs(op: Op, context: int, encoder: int = 0) -> int:
    """Multiply-accumulates of one row of ``op``."""
    return kind_named(op.kind).macs(op.shape, positions_seen(op.shape, context, encoder))


def step_macs(model: DecoderModel, context: int, encoder: int = 0) -> int:
    """Multiply-accumulates of the token at position ``context - 1`` whose logits are needed."""
    return sum(section.times * op_macs(op, context, encoder) for section, op in _all_ops(model))


def decoding_macs(model: DecoderModel, steps: int, encoder: int = 0) -> int:
    """Multiply-accumulates of the tokens at positions 0 to ``steps - 1``, without what only logits need."""
    return sum(
        section.times * _summed(op, steps, encoder) for section, op in _all_ops(model) if section.rows == "all"
    )  # fmt: skip


def encoder_macs(model: DecoderModel, tokens: int) -> int:
    """Multiply-accumulates of an encoder's run over ``tokens`` tokens, all of which see each other."""
    return tokens * sum(
        section.times * op_macs(op, tokens, tokens) for section in model.sections("encoder") for op in section.ops
    )


def logits_macs(model: DecoderModel) -> int:
    """Multiply-accumulates of what runs only for rows that need logits."""
    return sum(section.times * op_macs(op, 1) for section, op in _all_ops(model) if section.rows == "logits")


def layer_matrix_elements(model: DecoderModel) -> int:
    """Weights that a token meets in the matrices of the layers."""
    return sum(section.times * op_macs(op, 1) for section, op in _all_ops(model) if section.layers and op.kind == "vmm")


def _all_ops(model: DecoderModel) -> Iterator[tuple[GraphSection, Op]]:
    for section in model.sections():
        for op in section.ops:
            yield section, op


def _summed(op: Op, steps: int, encoder: int) -> int:
    """Sum over the contexts 1 to ``steps``: work is linear in the positions seen, which stop growing at the window."""
    growing = min(steps, getattr(op.shape, "window", None) or steps)
    one, slope = op_macs(op, 1, encoder), op_macs(op, 2, encoder) - op_macs(op, 1, encoder)
    if growing == 1:
        return steps * one
    return steps * one + slope * (growing * (growing - 1) // 2 + (steps - growing) * (growing - 1))
