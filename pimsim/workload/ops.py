"""Operations and tensors of a decoder: nothing here changes from step to step, and nothing knows of hardware."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

SECTION_INPUT = "input"


@dataclass(frozen=True)
class Op:
    """One operation of a section.

    ``name`` is unique in the section and has no layer in it. ``kind`` names an OpKind (``workload/kinds``), ``shape`` is that
    kind's. ``needs``: names of operations of the section whose results it reads, or SECTION_INPUT, the residual stream;
    the first is its operand. ``weight``: the tensor it reads, without the layer where the section runs for layers.
    """

    name: str
    kind: str
    needs: tuple[str, ...]
    weight: str = ""
    shape: Any = None

    @property
    def label(self) -> str:
        """What reports add up over."""
        return self.name


@dataclass(frozen=True)
class Tensor:
    """A stored parameter: a matrix of ``outputs`` rows of ``inputs``, or a vector (``inputs`` = 1).

    ``use``: ``matrix`` is multiplied or looked up by token, ``table`` is read a row at a time by position, ``vector``. A tensor
    that is stored but commonly not among a model's parameters has ``counted`` False.
    """

    name: str
    outputs: int
    inputs: int
    use: Literal["matrix", "vector", "table"] = "matrix"
    counted: bool = True

    @property
    def elements(self) -> int:
        """Number of parameters."""
        return self.outputs * self.inputs


@dataclass(frozen=True)
class Cache:
    """What one layer keeps of a sequence.

    ``use``: ``key`` (a row of ``heads`` x ``width`` for each of the last ``positions`` tokens), ``value`` (the same, read across
    tokens), or ``state`` (``heads`` x ``width`` numbers whatever the length; ``positions`` is 1). ``of_encoder``: one row for each
    encoder token, written once. ``in_asic``: a state that lives in the ASIC's memory if it fits. ``copy``: holds what another cache
    holds too, laid out for reading across tokens.
    """

    name: str
    use: Literal["key", "value", "state"]
    heads: int
    width: int
    positions: int
    of_encoder: bool = False
    in_asic: bool = False
    copy: bool = False

    @property
    def elements_a_position(self) -> int:
        """Elements of one token, or of the state."""
        return self.heads * self.width

    @property
    def elements(self) -> int:
        """Elements reserved for one sequence."""
        return self.positions * self.elements_a_position
