"""How each kind of operation is lowered: one file a kind, found by the kind's name.

A file has ``BY_SEQUENCE`` (whether it works on one sequence at a time), ``varies`` (what its instructions depend on beside the
operation and its place, hashable) and ``lower`` (append them to the section; the positions of its result).
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol

from pimsim.errors import MappingError
from pimsim.mapping.placement import stacks_of
from pimsim.workload.ops import Op

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.model import DecoderModel


class KindLowering(Protocol):
    """What the file of a kind offers."""

    BY_SEQUENCE: bool

    def varies(self, section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
        """What the operation's instructions depend on beside itself and its place in the section."""

    def lower(
        self, section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None
    ) -> int | tuple[int, ...]:
        """Append the operation's instructions; returns the positions of those that hold its result."""


@cache
def kinds() -> tuple[str, ...]:
    """Names of all kinds that have a lowering."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


@cache
def _lowering(kind: str) -> KindLowering | None:
    return import_module(f"{__name__}.{kind}") if kind in kinds() else None  # type: ignore[return-value]


def lowering_of(op: Op) -> KindLowering:
    """The lowering of an operation's kind. Raises MappingError naming the operation."""
    found = _lowering(op.kind)
    if found is None:
        raise MappingError(f"{op.name}: operation '{op.kind}' cannot be lowered to PIM; known: {', '.join(kinds())}")
    return found


def check_model(model: DecoderModel) -> None:
    """Refuse a model with an operation that cannot be lowered. Raises MappingError naming it."""
    for stack in stacks_of(model):
        for section in model.sections(stack):
            for op in section.ops:
                lowering_of(op)
