"""Mapping policies, by the name a hardware file gives. Adding one is a file here and a line in this registry."""

from __future__ import annotations

from typing import Protocol

from pimsim.errors import MappingError, nearest
from pimsim.mapping.layout import Geometry, Layout
from pimsim.mapping.policies import pim_gpt, pim_gpt_row_open, row_per_output


class MappingPolicy(Protocol):
    """Layouts of weight matrices, K and V. ``ROW_OPEN = True`` in one that keeps a row open for all vectors that meet it."""

    def matrix(self, geometry: Geometry, outputs: int, inputs: int) -> Layout:
        """Layout of a weight matrix."""

    def keys(self, geometry: Geometry, heads: int, head_width: int, context: int, queries: int = 1) -> Layout:
        """Layout of K of one layer; ``queries`` query heads meet each of its heads."""

    def values(self, geometry: Geometry, heads: int, head_width: int, context: int) -> Layout:
        """Layout of V of one layer."""


POLICIES: dict[str, MappingPolicy] = {
    "pim_gpt": pim_gpt,
    "pim_gpt_row_open": pim_gpt_row_open,
    "row_per_output": row_per_output,
}


def keeps_row_open(policy: MappingPolicy) -> bool:
    """Whether a row stays open for all vectors that meet it, or each vector meets all rows in turn."""
    return bool(getattr(policy, "ROW_OPEN", False))


def policy_named(name: str | None) -> MappingPolicy:
    """The policy called ``name``. Raises MappingError with the nearest name."""
    if name not in POLICIES:
        raise MappingError(f"mapping: unknown policy '{name}'{nearest(str(name), POLICIES)}; allowed: {', '.join(POLICIES)}")
    return POLICIES[name]
