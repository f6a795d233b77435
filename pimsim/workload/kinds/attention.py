"""Scores against kept keys, softmax, and the sum of kept values."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.decoder.positions import AlibiPositions, RelativeBuckets
from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class AttentionShape:
    """``heads`` query heads against ``kv_heads`` kept heads of ``key_width`` (scores) or ``value_width`` (context).

    ``window``: positions seen; None for all. ``scale`` multiplies scores, then ``soft_cap`` bounds them, then ``bias`` adds what depends on
    the distance. ``sinks``: a stored extra score a head (``<layer>.sinks``). ``of_encoder``: sees the encoder's tokens.
    ``causal``: a row sees only positions up to its own. ``latent``: keys and values are the same kept rows, values their first part.
    ``offset``: where the queries begin in the operand of scores. ``bias_table``: the stored table of relative buckets, by its full name.
    """

    heads: int
    kv_heads: int
    key_width: int
    value_width: int
    scale: float
    window: int | None = None
    soft_cap: float | None = None
    bias: AlibiPositions | RelativeBuckets | None = None
    sinks: bool = False
    of_encoder: bool = False
    causal: bool = True
    latent: bool = False
    offset: int = 0
    bias_table: str = ""


class Scores(OpKind):
    """Products of queries with kept keys."""

    name, shape = "scores", AttentionShape

    def macs(self, shape: AttentionShape, seen: int) -> int:
        return shape.heads * shape.key_width * seen

    def element_work(self, shape: AttentionShape, seen: int) -> int:
        return 0

    def cache_reads(self, shape: AttentionShape, seen: int) -> int:
        return shape.kv_heads * shape.key_width * seen

    def activations(self, shape: AttentionShape, seen: int) -> int:
        return shape.heads * shape.key_width


class Softmax(OpKind):
    """Scale, cap and bias of the scores, then their softmax."""

    name, shape = "softmax", AttentionShape

    def element_work(self, shape: AttentionShape, seen: int) -> int:
        each = 5 + (12 if shape.soft_cap else 0) + (2 if shape.bias else 0)
        return each * shape.heads * seen

    def weights(self, shape: AttentionShape) -> int:
        return shape.heads if shape.sinks else 0

    def activations(self, shape: AttentionShape, seen: int) -> int:
        return 0


class Context(OpKind):
    """Sums of kept values, weighted by the softmax. A latent's values are its keys, which scores have read already."""

    name, shape = "context", AttentionShape

    def macs(self, shape: AttentionShape, seen: int) -> int:
        return shape.heads * shape.value_width * seen

    def element_work(self, shape: AttentionShape, seen: int) -> int:
        return 0

    def cache_reads(self, shape: AttentionShape, seen: int) -> int:
        return 0 if shape.latent else shape.kv_heads * shape.value_width * seen

    def activations(self, shape: AttentionShape, seen: int) -> int:
        return shape.heads * shape.value_width


KINDS = (Scores(), Softmax(), Context())
