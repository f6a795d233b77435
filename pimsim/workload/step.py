"""What is fed at once: rows, each a token of a sequence at a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One token of one sequence at one position.

    ``ancestors``: earlier rows of the same step (indices) that it attends to besides what is kept of its sequence; None means
    all earlier rows of the same sequence in this step.
    """

    sequence: int
    position: int
    token_id: int | None = None
    ancestors: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Step:
    """Rows fed through one resident ``model`` together; ``logits`` are the indices of rows whose logits are needed.

    ``stack``: ``encoder`` for the encoder of an encoder-decoder, which runs once over its input.
    """

    rows: tuple[Row, ...]
    logits: tuple[int, ...]
    stack: Literal["decoder", "encoder"] = "decoder"
    model: int = 0


def decoding_step(position: int, with_logits: bool = True, token_id: int | None = None, sequence: int = 0) -> Step:
    """The step that feeds one token of one sequence at ``position`` (from 0)."""
    return Step((Row(sequence, position, token_id),), (0,) if with_logits else ())
