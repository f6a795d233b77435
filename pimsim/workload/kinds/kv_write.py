"""Keeping a token's K or V."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class CacheShape:
    """``heads`` x ``width`` elements of the operand from ``offset`` on go to the row of the token's position.

    ``window``: rows kept, as a ring; None for all. ``across``: kept so that it is read across tokens, as V is. ``of_encoder``: the rows
    are an encoder's tokens.
    """

    heads: int
    width: int
    offset: int = 0
    window: int | None = None
    across: bool = False
    of_encoder: bool = False


class KvWrite(OpKind):
    """Write of one token's heads."""

    name, shape = "kv_write", CacheShape

    def element_work(self, shape: CacheShape, seen: int) -> int:
        return 0

    def cache_writes(self, shape: CacheShape, seen: int) -> int:
        return shape.heads * shape.width

    def activations(self, shape: CacheShape, seen: int) -> int:
        return shape.heads * shape.width


KINDS = (KvWrite(),)
