"""Selective state spaces: Mamba and Mamba-2, row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Floats
from pimsim.oracle.caches import Feed, StateCache
from pimsim.oracle.functions import Activation, softplus
from pimsim.oracle.linear import Linear

Map = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Convolution:
    """Depthwise and causal: kernel (channels, taps), bias (channels,)."""

    kernel: Floats
    bias: Floats | None

    def __call__(self, x: Floats, past: Floats) -> tuple[Floats, Floats]:
        """x (channels,) after ``past`` (taps - 1, channels): the output, and the past of the next."""
        window = np.concatenate([past, x[None]])
        y = (window * self.kernel.T).sum(0)
        return (y if self.bias is None else y + self.bias), window[1:]

    @property
    def empty(self) -> Floats:
        """The past of a sequence's first token."""
        return np.zeros((self.kernel.shape[1] - 1, self.kernel.shape[0]))


@dataclass(frozen=True, eq=False)
class Mamba:
    """Mamba: a state (channels, states) for each channel; step size, B and C come from the channels themselves.

    ``decay`` (channels, states) is A, ``skip`` (channels,) is D. Norms on step size, B and C as given.
    """

    inside: Linear
    convolution: Convolution
    selection: Linear
    step: Linear
    output: Linear
    decay: Floats
    skip: Floats
    activation: Activation
    norms: tuple[Map | None, Map | None, Map | None] = (None, None, None)

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        cache = feed.cache(self, StateCache)
        channels, states = self.decay.shape
        values, gate = np.split(self.inside(x), 2, 1)
        y = np.empty((len(x), channels))
        for row, parent in enumerate(feed.rows.parents):
            past, state = cache.start(parent, (self.convolution.empty, np.zeros((channels, states))))
            mixed, past = self.convolution(values[row], past)
            u = self.activation(mixed)
            rank = self.step.weight.shape[1]
            small, b, c = (
                part if norm is None else norm(part)
                for part, norm in zip(np.split(self.selection(u), [rank, rank + states]), self.norms, strict=True)
            )
            dt = softplus(self.step(small))
            state = np.exp(dt[:, None] * self.decay) * state + (dt * u)[:, None] * b
            y[row] = state @ c + self.skip * u
            cache.after.append((past, state))
        return self.output(y * self.activation(gate))


@dataclass(frozen=True, eq=False)
class Mamba2:
    """Mamba-2: heads of ``width`` channels with a state (heads, width, states) and one decay a head; B and C by groups of heads.

    ``inside`` gives (gate, channels, B, C, steps); ``scales``, where given, multiplies its outputs. ``gated_norm(y, gate)`` ends it.
    """

    inside: Linear
    convolution: Convolution
    output: Linear
    gated_norm: Callable[[Floats, Floats], Floats]
    decay: Floats
    skip: Floats
    step_bias: Floats
    heads: int
    width: int
    groups: int
    states: int
    activation: Activation
    step_limit: tuple[float, float] = (0.0, np.inf)
    scales: Floats | None = None

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        cache = feed.cache(self, StateCache)
        inner, shared = self.heads * self.width, self.groups * self.states
        inside = self.inside(x) if self.scales is None else self.inside(x) * self.scales
        gate, mixed, steps = np.split(inside, [inner, 2 * inner + 2 * shared], 1)
        dt = np.clip(softplus(steps + self.step_bias), *self.step_limit)
        y = np.empty((len(x), inner))
        for row, parent in enumerate(feed.rows.parents):
            past, state = cache.start(parent, (self.convolution.empty, np.zeros((self.heads, self.width, self.states))))
            convolved, past = self.convolution(mixed[row], past)
            u, b, c = np.split(self.activation(convolved), [inner, inner + shared])
            u = u.reshape(self.heads, self.width)
            b, c = (np.repeat(part.reshape(self.groups, -1), self.heads // self.groups, 0) for part in (b, c))
            kept = np.exp(dt[row] * self.decay)[:, None, None] * state
            state = kept + (dt[row][:, None] * u)[:, :, None] * b[:, None, :]
            y[row] = (np.einsum("hws,hs->hw", state, c) + self.skip[:, None] * u).ravel()
            cache.after.append((past, state))
        return self.output(self.gated_norm(y, gate))
