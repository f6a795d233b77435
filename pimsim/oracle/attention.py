"""Attention: from queries, keys and values of the rows to what each row takes of the tokens it sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Bools, Floats, Ints
from pimsim.oracle.caches import Feed, FixedCache, KeyValueCache
from pimsim.oracle.functions import softmax
from pimsim.oracle.linear import Linear
from pimsim.oracle.norms import Norm
from pimsim.oracle.position_bias import PositionBias
from pimsim.oracle.rotary import Rotary


@dataclass(frozen=True, eq=False)
class Attention:
    """Self-attention with ``kv_heads`` heads of keys and values, each shared by heads / kv_heads query heads.

    ``query_norm`` and ``key_norm`` act on each head, or on the whole width where ``norm_whole``, before the rotation unless
    ``norm_after_rotary``. ``window``: tokens seen, the own one included. ``cap``: scores s become cap tanh(s / cap). ``clip``: largest
    magnitude of q, k and v. ``sinks`` (heads,): a score that takes a share and gives nothing.
    """

    query: Linear
    key: Linear
    value: Linear
    output: Linear
    heads: int
    kv_heads: int
    scale: float
    rotary: Rotary | None = None
    query_norm: Norm | None = None
    key_norm: Norm | None = None
    norm_whole: bool = False
    norm_after_rotary: bool = False
    window: int | None = None
    cap: float | None = None
    clip: float | None = None
    bias: PositionBias | None = None
    sinks: Floats | None = None
    key_scale: float = 1.0

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        queries = self._heads(self.query(x), self.heads, self.query_norm, feed)
        keys = self._heads(self.key(x) * self.key_scale, self.kv_heads, self.key_norm, feed)
        values = self._clipped(self.value(x)).reshape(len(x), self.kv_heads, -1)
        cache = feed.cache(self, KeyValueCache)
        before = cache.extend(keys, values, feed.rows.positions)
        assert cache.keys is not None and cache.values is not None
        seen = self._seen(feed.rows.positions, cache.positions, feed.rows.visible, before)
        bias = None if self.bias is None else self.bias(feed.rows.positions, cache.positions)
        taken = attend(queries, cache.keys, cache.values, seen, self.scale, self.cap, bias, self.sinks)
        return self.output(taken.reshape(len(x), -1))

    def _heads(self, y: Floats, heads: int, norm: Norm | None, feed: Feed) -> Floats:
        if norm is not None and self.norm_whole:
            y = norm(y)
        y = self._clipped(y)
        y = y.reshape(len(y), heads, -1)
        early = norm is not None and not self.norm_whole and not self.norm_after_rotary
        if norm is not None and early:
            y = norm(y)
        if self.rotary is not None:
            y = self.rotary(y, feed.rows.positions, feed.rows.length)
        return norm(y) if norm is not None and self.norm_after_rotary else y

    def _clipped(self, y: Floats) -> Floats:
        return y if self.clip is None else np.clip(y, -self.clip, self.clip)

    def _seen(self, rows: Ints, tokens: Ints, visible: Bools, before: int) -> Bools:
        seen = np.concatenate([np.ones((len(rows), before), np.bool_), visible], 1)
        return seen if self.window is None else seen & (rows[:, None] - tokens[None, :] < self.window)


@dataclass(frozen=True, eq=False)
class CrossAttention:
    """Attention to the encoder's output, whose keys and values are computed once."""

    query: Linear
    key: Linear
    value: Linear
    output: Linear
    heads: int
    scale: float

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        cache = feed.cache(self, FixedCache)
        if cache.value is None:
            assert feed.encoded is not None
            shape = (len(feed.encoded), self.heads, -1)
            cache.value = self.key(feed.encoded).reshape(shape), self.value(feed.encoded).reshape(shape)
        keys, values = cache.value
        seen = np.ones((len(x), len(keys)), np.bool_)
        taken = attend(self.query(x).reshape(len(x), self.heads, -1), keys, values, seen, self.scale)
        return self.output(taken.reshape(len(x), -1))


def attend(
    queries: Floats, keys: Floats, values: Floats, seen: Bools, scale: float,
    cap: float | None = None, bias: Floats | None = None, sinks: Floats | None = None,
) -> Floats:  # fmt: skip
    """queries (rows, heads, width), keys and values (tokens, kv heads, width), seen (rows, tokens), bias (heads, rows, tokens).

    Returns (rows, heads, width of a value). The cap comes after the scale and before bias and mask.
    """
    rows, heads = queries.shape[:2]
    kv_heads = keys.shape[1]
    grouped = queries.reshape(rows, kv_heads, heads // kv_heads, -1).transpose(1, 2, 0, 3)
    scores = grouped @ keys.transpose(1, 2, 0)[:, None] * scale
    if cap is not None:
        scores = cap * np.tanh(scores / cap)
    if bias is not None:
        scores = scores + bias.reshape(scores.shape)
    scores = np.where(seen, scores, -np.inf)
    if sinks is not None:
        extra = np.broadcast_to(sinks.reshape(kv_heads, -1, 1, 1), (*scores.shape[:3], 1))
        scores = np.concatenate([scores, extra], -1)
    shares = softmax(scores)[..., : len(keys)]
    return (shares @ values.transpose(1, 0, 2)[:, None]).transpose(2, 0, 1, 3).reshape(rows, heads, -1)
