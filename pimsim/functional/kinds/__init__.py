"""The numerical meaning of each kind of operation: one file a kind, found by the kind's name.

A file has ``receive`` for the kind's PIM instructions and ``compute`` for its ASIC instructions, as far as there are any; what is
not there does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from pimsim.errors import MappingError
from pimsim.program.instruction import LINK, PIM, Instruction

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor

Action = Callable[["Executor", Instruction], None]


@cache
def kinds() -> tuple[str, ...]:
    """Names of all kinds that can be executed on numbers."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


@cache
def _module(kind: str) -> object | None:
    return import_module(f"{__name__}.{kind}") if kind in kinds() else None


def action_of(instruction: Instruction) -> Action | None:
    """What an instruction does to numbers; None for a transfer. Raises MappingError for a kind without numerics."""
    module = _module(instruction.op.kind)
    if module is None:
        raise MappingError(f"{instruction.op.name}: operation '{instruction.op.kind}' cannot be executed on numbers")
    if instruction.kind == LINK:
        return None
    return getattr(module, "receive" if instruction.kind == PIM else "compute")  # type: ignore[no-any-return]
