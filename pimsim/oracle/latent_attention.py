"""Multi-head latent attention: keys and values unfold from a narrow latent; one rotated key part serves all heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Floats
from pimsim.oracle.attention import attend
from pimsim.oracle.caches import Feed, KeyValueCache
from pimsim.oracle.linear import Linear
from pimsim.oracle.norms import Norm
from pimsim.oracle.rotary import Rotary


@dataclass(frozen=True, eq=False)
class LatentAttention:
    """``query``: to heads x (plain, rotary); ``query_down`` and ``query_norm`` where it is low-rank. ``down``: to (latent, rotary key);
    ``up``: latent to heads x (plain key, value).
    """

    query: Linear
    down: Linear
    latent_norm: Norm
    up: Linear
    output: Linear
    heads: int
    latent: int
    plain: int
    scale: float
    rotary: Rotary | None
    query_down: Linear | None = None
    query_norm: Norm | None = None

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        rows = len(x)
        narrow = x
        if self.query_down is not None and self.query_norm is not None:
            narrow = self.query_norm(self.query_down(x))
        queries = self.query(narrow).reshape(rows, self.heads, -1)
        down = self.down(x)
        unfolded = self.up(self.latent_norm(down[:, : self.latent])).reshape(rows, self.heads, -1)
        turned = self._turned(down[:, None, self.latent :], feed)
        keys = np.concatenate([unfolded[..., : self.plain], np.repeat(turned, self.heads, 1)], -1)
        queries = np.concatenate([queries[..., : self.plain], self._turned(queries[..., self.plain :], feed)], -1)
        cache = feed.cache(self, KeyValueCache)
        before = cache.extend(keys, unfolded[..., self.plain :], feed.rows.positions)
        assert cache.keys is not None and cache.values is not None
        seen = np.concatenate([np.ones((rows, before), np.bool_), feed.rows.visible], 1)
        return self.output(attend(queries, cache.keys, cache.values, seen, self.scale).reshape(rows, -1))

    def _turned(self, x: Floats, feed: Feed) -> Floats:
        return x if self.rotary is None else self.rotary(x, feed.rows.positions, feed.rows.length)
