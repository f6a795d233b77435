"""Look-up of a token's row, and of its position's where positions are learned."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class EmbeddingShape:
    """A row of ``width``, times ``scale``, plus row ``position + position_offset`` of ``position_table`` if there is one."""

    width: int
    position_table: str = ""
    position_offset: int = 0
    scale: float = 1.0


class Embedding(OpKind):
    """Token's row plus position's row. Only the token's is counted as weights: tables of positions are small and stay cached."""

    name, shape = "embedding", EmbeddingShape

    def element_work(self, shape: EmbeddingShape, seen: int) -> int:
        return shape.width

    def weights(self, shape: EmbeddingShape) -> int:
        return shape.width

    def activations(self, shape: EmbeddingShape, seen: int) -> int:
        return shape.width


class Position(OpKind):
    """A stored row of the token's position, added to a vector that is there."""

    name, shape = "position", EmbeddingShape

    def element_work(self, shape: EmbeddingShape, seen: int) -> int:
        return shape.width

    def weights(self, shape: EmbeddingShape) -> int:
        return shape.width

    def activations(self, shape: EmbeddingShape, seen: int) -> int:
        return 2 * shape.width


KINDS = (Embedding(), Position())
