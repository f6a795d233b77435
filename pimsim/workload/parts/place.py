"""Where a part stands in a model."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.decoder.positions import Positions


@dataclass(frozen=True)
class Place:
    """Its input's width, positions it can see at most, how tokens know theirs, and whether rows see only what came before.

    ``bias_table``: the stack's stored table of relative buckets. ``encoder_width`` and ``encoder_tokens``: of what cross-attention sees.
    """

    width: int
    max_context: int
    positions: Positions
    causal: bool = True
    bias_table: str = ""
    encoder_width: int = 0
    encoder_tokens: int = 0
