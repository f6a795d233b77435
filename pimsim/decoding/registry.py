"""Strategies by name."""

from __future__ import annotations

from pimsim.decoding.strategies import (
    beam,
    bild,
    chimera,
    early_exit,
    easyspec,
    entropy,
    hidden_transfer,
    hydra,
    kangaroo,
    lexical_units,
    medusa,
    nested,
    ngram,
    plain,
    recursive,
    speculative,
    token_recycling,
)
from pimsim.decoding.strategy import Strategy

_ALL: tuple[type[Strategy], ...] = (
    plain.Plain, speculative.Speculative, nested.Nested, kangaroo.Kangaroo, medusa.Medusa, hydra.Hydra,
    hidden_transfer.HiddenTransfer, recursive.Recursive, token_recycling.TokenRecycling, ngram.Ngram, chimera.Chimera,
    lexical_units.LexicalUnits, bild.Bild, entropy.Entropy, easyspec.EasySpec, beam.Beam, early_exit.EarlyExit,
)  # fmt: skip
STRATEGIES: dict[str, type[Strategy]] = {strategy.name: strategy for strategy in _ALL}
