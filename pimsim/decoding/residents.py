"""Models that a strategy needs beside the target: which they are, and whose weights they have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Draft:
    """A model of its own, by shipped name, file or folder; with ``together`` > 1 that many of its layers run side by side."""

    model: str
    together: int = 1


@dataclass(frozen=True)
class FirstLayers:
    """The target's first ``layers`` layers with its head: no weights, and no K and V, of its own."""

    layers: int


@dataclass(frozen=True)
class ExtraHeads:
    """``heads`` heads on the target's last hidden state: a residual block of width x width and a vocabulary matrix each.

    ``seed`` of their weights where numbers are needed and none are given. ``sequential``: each sees what the one before drafted.
    """

    heads: int
    seed: int = 0
    sequential: bool = False


@dataclass(frozen=True)
class OneLayer:
    """A draft of one layer of the target's shape over the target's last hidden states, with the target's embedding and head."""

    seed: int = 0


Resident = Draft | FirstLayers | ExtraHeads | OneLayer
