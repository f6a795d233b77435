"""How a layer's branches meet the residual stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pimsim.oracle.arrays import Floats
from pimsim.oracle.caches import Feed

Branch = Callable[[Floats, Feed], Floats]
Map = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Residual:
    """``x + multiplier x after(branch(before(x)))``, then ``outer`` on the sum. With ``from_norm`` the sum starts from ``before(x)``."""

    branch: Branch
    before: Map | None = None
    after: Map | None = None
    outer: Map | None = None
    multiplier: float = 1.0
    from_norm: bool = False

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        inside = x if self.before is None else self.before(x)
        y = self.branch(inside, feed)
        if self.after is not None:
            y = self.after(y)
        total = (inside if self.from_norm else x) + self.multiplier * y
        return total if self.outer is None else self.outer(total)


@dataclass(frozen=True, eq=False)
class Parallel:
    """``x`` plus all branches, each of its own norm of ``x``."""

    branches: Sequence[tuple[Map | None, Branch]]

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        total = x
        for norm, branch in self.branches:
            total = total + branch(x if norm is None else norm(x), feed)
        return total


@dataclass(frozen=True, eq=False)
class Scaled:
    """A branch with its input and its output multiplied."""

    branch: Branch
    inside: float = 1.0
    outside: float = 1.0

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        return self.branch(x * self.inside, feed) * self.outside


@dataclass(frozen=True, eq=False)
class Together:
    """Layers that see the same input; their changes of it are summed."""

    layers: Sequence[Branch]

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        total = x
        for layer in self.layers:
            total = total + (layer(x, feed) - x)
        return total


@dataclass(frozen=True, eq=False)
class Layer:
    """Blocks one after the other."""

    parts: Sequence[Branch]

    def __call__(self, x: Floats, feed: Feed) -> Floats:
        """x (rows, width) to (rows, width)."""
        for part in self.parts:
            x = part(x, feed)
        return x
