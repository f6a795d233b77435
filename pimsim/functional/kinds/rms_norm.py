"""Numbers of RMSNorm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimsim.functional.kinds.layer_norm import norm, receive

if TYPE_CHECKING:
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction

__all__ = ["compute", "receive"]


def compute(run: Executor, instruction: Instruction) -> None:
    """Norm every group without centring, then scale."""
    norm(run, instruction, centred=False)
