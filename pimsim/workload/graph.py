"""Sections of a decoder's graph, and the collector that parts write their operations, tensors and caches into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pimsim.workload.kinds import kind_named
from pimsim.workload.ops import SECTION_INPUT, Cache, Op, Tensor


@dataclass(frozen=True)
class GraphSection:
    """Operations that run once, or for each of ``layers`` in order.

    Equal kinds of layers share one ``ops`` tuple. ``rows``: ``logits`` for what runs only for rows that need logits. Names of tensors and
    caches of repetition ``layer`` are ``<prefix><layer>.<name>``; where ``layers`` is empty they are as they stand.
    """

    name: str
    ops: tuple[Op, ...]
    layers: tuple[int, ...] = ()
    rows: Literal["all", "logits"] = "all"
    prefix: str = "h"

    @property
    def times(self) -> int:
        """How often the operations run in a step."""
        return max(1, len(self.layers))

    def full_name(self, name: str, layer: int) -> str:
        """Name of a tensor or cache of the section in ``layer``."""
        return f"{self.prefix}{layer}.{name}" if self.layers else name


@dataclass
class Collector:
    """Operations, tensors and caches of one section while parts add to it.

    Vectors of norms are kept apart and stored after the matrices. Raises ConfigError for an unknown kind.
    """

    ops: list[Op] = field(default_factory=list)
    matrices: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    caches: list[Cache] = field(default_factory=list)

    def op(self, name: str, kind: str, needs: tuple[str, ...] | str, shape: Any, weight: str = "") -> str:
        """Add an operation; returns its name."""
        assert isinstance(shape, kind_named(kind).shape), f"{name}: shape of another kind than {kind}"
        self.ops.append(Op(name, kind, (needs,) if isinstance(needs, str) else needs, weight, shape))
        return name

    def matrix(self, name: str, outputs: int, inputs: int, bias: bool = False) -> None:
        """Add a stored matrix and its bias."""
        self.matrices.append(Tensor(name, outputs, inputs))
        if bias:
            self.vector(f"{name}.bias", outputs)

    def vector(self, name: str, elements: int, counted: bool = True) -> None:
        """Add a stored vector."""
        self.matrices.append(Tensor(name, elements, 1, "vector", counted))

    def norm_vector(self, name: str, elements: int) -> None:
        """Add a norm's vector."""
        if elements:
            self.norms.append(Tensor(name, elements, 1, "vector"))

    @property
    def tensors(self) -> list[Tensor]:
        """Matrices with their biases, then norms."""
        return self.matrices + self.norms


__all__ = ["SECTION_INPUT", "Collector", "GraphSection"]
