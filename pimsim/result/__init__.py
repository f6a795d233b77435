"""Typed results."""

from pimsim.result.run_result import RunResult

__all__ = ["RunResult"]
