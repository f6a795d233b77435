"""What an ASIC instruction costs: stages of additions and multiplications that run one after another."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.hardware import AsicSpec


@dataclass(frozen=True)
class Stage:
    """``adds`` and ``muls`` that may run side by side; the next stage waits for all of them.

    ``depth`` more dependent operations are serial (a reduction tree, a Newton chain on one number): each costs its unit's
    pipeline depth. ``add_depth`` and ``mul_depth`` count them.
    """

    adds: int = 0
    muls: int = 0
    add_depth: int = 0
    mul_depth: int = 0


def cycles(stages: list[Stage], asic: AsicSpec) -> int:
    """ASIC cycles of an instruction: issue overhead, then each stage's throughput and latency."""
    total = asic.instruction_overhead_cycles
    for stage in stages:
        total += max(-(-stage.adds // asic.adders), -(-stage.muls // asic.multipliers))
        total += stage.add_depth * asic.adder_stages + stage.mul_depth * asic.multiplier_stages
    return total


def tree_depth(elements: int) -> int:
    """Levels of a binary reduction tree."""
    return max(0, elements - 1).bit_length()


def chain(adds_each: int, muls_each: int, elements: int) -> Stage:
    """The same chain of dependent operations on every element, pipelined over the elements."""
    return Stage(adds_each * elements, muls_each * elements, adds_each, muls_each)
