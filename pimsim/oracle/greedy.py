"""Greedy decoding on a float64 decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pimsim.errors import RequestError
from pimsim.oracle.arrays import Floats
from pimsim.oracle.decoder import Decoder


@dataclass(frozen=True, eq=False)
class Greedy:
    """Generated ``tokens``; ``logits`` (prompt + generated, vocabulary): row i predicts token i + 1; ``margin``: smallest gap
    between the best and the second logit where a token was chosen.
    """

    tokens: tuple[int, ...]
    logits: Floats
    margin: float


def decode_greedily(decoder: Decoder, prompt: Sequence[int], tokens: int, encoder_ids: Sequence[int] | None = None) -> Greedy:
    """``tokens`` tokens after ``prompt``; all of them are fed, so that there are logits after each.

    Raises RequestError for an empty prompt, a token outside the vocabulary, or more tokens than the model has positions.
    """
    if not prompt or tokens < 1:
        raise RequestError("at least one token of the prompt and one to generate are needed")
    check_length(decoder, len(prompt) + tokens)
    sequence = decoder.sequence(encoder_ids)
    rows = [sequence.step(*prompt)]
    chosen: list[int] = []
    for _ in range(tokens):
        chosen.append(int(rows[-1][-1].argmax()))
        rows.append(sequence.step(chosen[-1]))
    logits = np.concatenate(rows)
    choices = np.sort(logits[len(prompt) - 1 : -1], 1)
    margin = float((choices[:, -1] - choices[:, -2]).min()) if choices.shape[1] > 1 else float("inf")
    if decoder.regime(len(prompt)) != decoder.regime(len(prompt) + tokens):
        logits = decoder.sequence(encoder_ids).step(*prompt, *chosen)
    return Greedy(tuple(chosen), logits, margin)


def check_length(decoder: Decoder, length: int) -> None:
    """Raise RequestError for more tokens than the model has learned positions for."""
    if decoder.longest is not None and length > decoder.longest:
        raise RequestError(f"prompt and generated tokens are {length}; the model has learned {decoder.longest} positions")
