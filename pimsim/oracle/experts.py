"""Mixtures of experts: a router chooses a few feed-forward layers for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Floats, Ints
from pimsim.oracle.caches import Feed
from pimsim.oracle.functions import sigmoid, softmax
from pimsim.oracle.linear import Linear

FeedForward = Callable[..., Floats]


@dataclass(frozen=True, eq=False)
class Router:
    """Scores of all experts (``softmax`` or ``sigmoid``), the best ``top`` of them, and their weights.

    ``among_chosen``: the softmax is over the chosen alone. ``correction`` (experts,) counts for choosing only. ``groups``: only experts of
    the ``top_groups`` best groups can be chosen, a group being as good as the sum of its ``group_best`` best experts.
    """

    scores: Linear
    top: int
    kind: str = "softmax"
    among_chosen: bool = False
    renormalised: bool = False
    factor: float = 1.0
    correction: Floats | None = None
    groups: int = 1
    top_groups: int = 1
    group_best: int = 1
    excluded: float = 0.0

    def __call__(self, x: Floats) -> tuple[Ints, Floats]:
        """(rows, top) chosen experts and their weights."""
        raw = self.scores(x)
        shares = raw if self.among_chosen else sigmoid(raw) if self.kind == "sigmoid" else softmax(raw)
        chosen = np.argsort(-self._ranked(shares), axis=1, kind="stable")[:, : self.top]
        weights = np.take_along_axis(shares, chosen, 1)
        if self.among_chosen:
            weights = sigmoid(weights) if self.kind == "sigmoid" else softmax(weights)
        if self.renormalised:
            weights = weights / weights.sum(1, keepdims=True)
        return chosen, weights * self.factor

    def _ranked(self, shares: Floats) -> Floats:
        ranked = shares if self.correction is None else shares + self.correction
        if self.groups == 1 or self.top_groups >= self.groups:
            return ranked
        grouped = ranked.reshape(len(ranked), self.groups, -1)
        worth = np.sort(grouped, 2)[:, :, -self.group_best :].sum(2)
        best = np.argsort(-worth, axis=1, kind="stable")[:, : self.top_groups]
        allowed = np.zeros(worth.shape, np.bool_)
        np.put_along_axis(allowed, best, True, 1)
        return np.where(allowed[:, :, None], grouped, self.excluded).reshape(ranked.shape)


@dataclass(frozen=True, eq=False)
class Experts:
    """The chosen experts' outputs in their weights, plus a shared one, itself weighted by ``shared_gate`` where there is one."""

    router: Router
    experts: Sequence[FeedForward]
    shared: FeedForward | None = None
    shared_gate: Linear | None = None

    def __call__(self, x: Floats, feed: Feed | None = None) -> Floats:
        """x (rows, width) to (rows, width)."""
        chosen, weights = self.router(x)
        total = np.zeros_like(x)
        for expert in np.unique(chosen):
            rows, place = np.nonzero(chosen == expert)
            share = weights[rows, place][:, None]
            total[rows] += self.experts[expert](x[rows]) * share
        if self.shared is not None:
            gate = 1.0 if self.shared_gate is None else sigmoid(self.shared_gate(x))
            total += self.shared(x) * gate
        return total
