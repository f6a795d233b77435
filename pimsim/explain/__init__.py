"""Why a token takes as long as it does: what bound each instruction, and how latency and energy answer to parameters."""

from pimsim.explain.elasticity import Answer, elasticity
from pimsim.explain.instructions import ExplainedInstruction, explain_step

__all__ = ["Answer", "ExplainedInstruction", "elasticity", "explain_step"]
