"""Rotary positions: which frequencies, which pairs of elements, which part of a head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pimsim.oracle.arrays import Floats, Ints


class Frequencies(Protocol):
    """Angles per position of each pair, and a factor on cosines and sines; may depend on the sequence's length so far."""

    def at(self, length: int) -> tuple[Floats, float]:
        """(pairs,) angles per position, and the factor."""

    def regime(self, length: int) -> int:
        """Equal numbers mean equal frequencies."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """The same frequencies at every length."""

    angles: Floats
    factor: float = 1.0

    def at(self, length: int) -> tuple[Floats, float]:
        """As given."""
        return self.angles, self.factor

    def regime(self, length: int) -> int:
        """Always the same."""
        return 0


@dataclass(frozen=True, eq=False)
class Longrope:
    """Angles divided by the short factors up to the original length, by the long ones beyond."""

    short: Floats
    long: Floats
    original: int
    factor: float

    def at(self, length: int) -> tuple[Floats, float]:
        """By the length of the whole sequence so far."""
        return (self.long if length > self.original else self.short), self.factor

    def regime(self, length: int) -> int:
        """0 up to the original length."""
        return int(length > self.original)


@dataclass(frozen=True, eq=False)
class DynamicNtk:
    """A base that grows with the length beyond the original one."""

    theta: float
    width: int
    factor: float
    original: int

    def at(self, length: int) -> tuple[Floats, float]:
        """Angles of the grown base."""
        growth = self.factor * max(length, self.original) / self.original - (self.factor - 1)
        return geometric(self.theta * growth ** (self.width / (self.width - 2)), self.width), 1.0

    def regime(self, length: int) -> int:
        """Each length beyond the original one is its own."""
        return max(length, self.original)


def geometric(theta: float, width: int) -> Floats:
    """theta^(-2 i / width) for each pair i."""
    return theta ** (-np.arange(0, width, 2, dtype=np.float64) / width)  # type: ignore[no-any-return]


def llama3(theta: float, width: int, factor: float, low: float, high: float, original: int) -> Floats:
    """Short wavelengths stay, long ones are divided by ``factor``, between ``original / high`` and ``original / low`` they blend."""
    angles = geometric(theta, width)
    turns = original * angles / (2 * math.pi)
    share = np.clip((turns - low) / (high - low), 0, 1)
    return share * angles + (1 - share) * angles / factor


def yarn(theta: float, width: int, factor: float, fast: float, slow: float, original: int, truncate: bool = True) -> Floats:
    """Pairs that turn more than ``fast`` times over the original length stay, those below ``slow`` are divided; a ramp between."""

    def pair_turning(turns: float) -> float:
        return width * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    first, last = pair_turning(fast), pair_turning(slow)
    if truncate:
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, width - 1)
    ramp = np.clip((np.arange(width // 2) - first) / (last - first if last != first else 0.001), 0, 1)
    angles = geometric(theta, width)
    return angles * (1 - ramp) + angles / factor * ramp


def yarn_magnitude(factor: float, strength: float = 1.0) -> float:
    """0.1 x strength x ln(factor) + 1; 1 without stretching."""
    return 0.1 * strength * math.log(factor) + 1.0 if factor > 1 else 1.0


@dataclass(frozen=True, eq=False)
class Rotary:
    """Rotates the first ``width`` elements of each head; pairs are neighbours if ``interleaved``, else halves of that part."""

    frequencies: Frequencies
    width: int
    interleaved: bool = False

    def __call__(self, x: Floats, positions: Ints, length: int) -> Floats:
        """x (rows, heads, head width) at ``positions`` (rows,) of a sequence that is ``length`` long."""
        angles, factor = self.frequencies.at(length)
        turned = np.outer(positions, angles)[:, None, :]
        cosine, sine = np.cos(turned) * factor, np.sin(turned) * factor
        y = x.copy()
        half = self.width // 2
        first = slice(0, self.width, 2) if self.interleaved else slice(0, half)
        second = slice(1, self.width, 2) if self.interleaved else slice(half, self.width)
        y[..., first] = x[..., first] * cosine - x[..., second] * sine
        y[..., second] = x[..., second] * cosine + x[..., first] * sine
        return y
