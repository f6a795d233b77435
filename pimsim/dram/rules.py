"""Timing rules are data: after ``preceding``, ``following`` must wait ``gap`` cycles, inside one ``scope``.

A gap is an arithmetic expression over timing parameters, such as ``nCWL + nBL + nWR``; it is parsed, never evaluated as code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pimsim.dram.commands import OUTER_LEVELS, SCOPES
from pimsim.errors import ConfigError, nearest


@dataclass(frozen=True)
class TimingRule:
    """At ``scope``, any of ``following`` waits ``gap`` cycles after the ``window``-th last of each of ``preceding``.

    ``window=4`` with ACT before and after is tFAW: the fifth ACT waits for the first. Each preceding command keeps
    its own history, and the scope's node (channel, bank group, bank ...) must be the same for both commands; of a
    ``sibling`` rule it must be another one of the same parent (another rank of the channel). Commands that hold the
    command bus for several ticks count from the end of the first to the end of the second.
    """

    scope: str
    preceding: tuple[str, ...]
    following: tuple[str, ...]
    gap: str
    window: int = 1
    sibling: bool = False

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise ValueError(f"scope '{self.scope}' is not one of {SCOPES}")
        if self.sibling and self.scope not in OUTER_LEVELS:
            raise ValueError(f"a rule between siblings acts between {', '.join(OUTER_LEVELS)}s, not at scope '{self.scope}'")
        if self.window < 1 or (self.sibling and self.window > 1):
            raise ValueError(f"window {self.window} must be at least 1, and 1 between siblings")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every (preceding, following) pair that the rule names."""
        for before in self.preceding:
            for after in self.following:
                yield before, after

    def __str__(self) -> str:
        window = f" (window {self.window})" if self.window > 1 else ""
        scope = f"other {self.scope}" if self.sibling else self.scope
        return f"{scope}: {'/'.join(self.preceding)} -> {'/'.join(self.following)}: {self.gap}{window}"


def rule(scope: str, preceding: str, following: str, gap: str, window: int = 1, sibling: bool = False) -> TimingRule:
    """A rule from space-separated command names, as the standards' tables are written."""
    return TimingRule(scope, tuple(preceding.split()), tuple(following.split()), gap, window, sibling)


def evaluate_gap(expression: str, parameters: Mapping[str, int]) -> int:
    """Integer value in CK of a gap expression made of parameters, integers, ``+ - *``, ``max()`` and ``min()``.

    Raises ConfigError naming the parameter that is missing, with the nearest known one.
    """
    return _value(_parsed(expression), expression, parameters)


def gap_parameters(expression: str) -> list[str]:
    """Names of the timing parameters in a gap expression, in order of appearance."""
    nodes = [node for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name)]
    names = [node.id for node in sorted(nodes, key=lambda node: node.col_offset)]
    return [name for name in dict.fromkeys(names) if name not in _FUNCTIONS]


@cache
def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


_FUNCTIONS = {"max": max, "min": min}


def _value(node: ast.expr, expression: str, parameters: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in parameters:
            raise ConfigError(f"timing parameter '{node.id}' is needed by '{expression}'{nearest(node.id, parameters)}")
        return parameters[node.id]
    if isinstance(node, ast.BinOp):
        left, right = (_value(side, expression, parameters) for side in (node.left, node.right))
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        return _FUNCTIONS[node.func.id](_value(argument, expression, parameters) for argument in node.args)
    raise ValueError(f"gap expression '{expression}' may hold parameters, integers, + - *, max() and min() only")
