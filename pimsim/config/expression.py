"""Arithmetic and comparisons over named values (``dram.channels * pim.mac_lanes <= 512``), walked, never executed.

Names are dotted paths. Allowed: numbers, text, true/false, lists, ``+ - * / // % **``, comparisons, ``in``, ``and or not``,
``a if b else c`` and the functions of FUNCTIONS. Anything else is refused when the expression is read.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pimsim.errors import ConfigError, nearest
from pimsim.text import shown

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "round": round, "ceil": math.ceil, "floor": math.floor, "sqrt": math.sqrt,
    "log2": math.log2,
}  # fmt: skip
_CONSTANTS = {"true": True, "false": False}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
}  # fmt: skip
_MAX_LENGTH = 1000
_MAX_NUMBER = 1e18
_MAX_POWER = 64
_MAX_DIGITS = 30
_MAX_DEPTH = 100


@dataclass(frozen=True)
class Expression:
    """A checked expression; ``names`` are the dotted paths it reads."""

    text: str
    where: str

    @cached_property
    def _tree(self) -> ast.expr:
        return _parse(self.text, self.where)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every dotted name the expression reads, in order of appearance."""
        return tuple(dict.fromkeys(_names(self._tree)))

    def check_names(self, known: Iterable[str]) -> None:
        """Refuse names that are not in ``known``, with the nearest one."""
        allowed = list(known)
        for name in self.names:
            if name not in allowed:
                raise ConfigError(f"{self.where}: '{self.text}': unknown name '{name}'{nearest(name, allowed)}")

    def value(self, values: Mapping[str, Any]) -> Any:
        """The value with ``values`` for the names. Raises ConfigError if it has none (division by zero, text times 2)."""
        try:
            return _value(self._tree, values)
        except KeyError as error:
            raise ConfigError(f"{self.where}: '{self.text}': no value for '{error.args[0]}'") from None
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigError(f"{self.where}: '{self.text}': {error}") from None


def read_expression(text: str, where: str) -> Expression:
    """Read and check an expression; ``where`` names its place in errors."""
    expression = Expression(text, where)
    _ = expression.names
    return expression


def _parse(text: str, where: str) -> ast.expr:
    if len(text) > _MAX_LENGTH:
        raise ConfigError(f"{where}: an expression of {len(text)} characters; at most {_MAX_LENGTH}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree, text, where)
    except (SyntaxError, ValueError):
        raise ConfigError(f"{where}: '{text}' is not an expression such as 'dram.channels * pim.mac_lanes <= 512'") from None
    except (RecursionError, MemoryError):
        raise ConfigError(f"{where}: the expression is nested too deeply") from None
    return tree


def _check(node: ast.expr, text: str, where: str, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise ConfigError(f"{where}: the expression is nested too deeply: more than {_MAX_DEPTH} levels")
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return
    if _dotted(node):
        return
    if isinstance(node, ast.Call):
        name = _dotted(node.func)
        if name not in FUNCTIONS:
            raise ConfigError(f"{where}: '{text}': unknown function '{name}'; allowed: {', '.join(FUNCTIONS)}")
        if node.keywords or not node.args:
            raise ConfigError(f"{where}: '{text}': {name}() takes values alone")
        children = node.args
    else:
        children = _children(node, text, where)
    for child in children:
        _check(child, text, where, depth + 1)


def _children(node: ast.expr, text: str, where: str) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return [node.operand]
    if isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
        return [node.left, *node.comparators]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.test, node.body, node.orelse]
    if isinstance(node, ast.List | ast.Tuple):
        return node.elts
    raise ConfigError(f"{where}: '{text}': {type(node).__name__} is not allowed in an expression")


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _names(node: ast.expr) -> list[str]:
    name = _dotted(node)
    if name:
        return [] if name in _CONSTANTS else [name]
    children = node.args if isinstance(node, ast.Call) else [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
    return [found for child in children for found in _names(child)]


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    name = _dotted(node)
    if name:
        return _CONSTANTS[name] if name in _CONSTANTS and name not in values else values[name]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, _value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.Compare):
        return _comparison(node, values)
    if isinstance(node, ast.BoolOp):
        found = (_value(child, values) for child in node.values)
        return all(found) if isinstance(node.op, ast.And) else any(found)
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, values) else node.orelse, values)
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(child, values) for child in node.elts]
    assert isinstance(node, ast.Call)
    return _call(_dotted(node.func), [_value(child, values) for child in node.args])


def _call(name: str, arguments: list[Any]) -> Any:
    numbers = [number for one in arguments for number in (one if isinstance(one, list) else [one])]
    for number in numbers:
        _check_number(number)
    if name == "round" and len(arguments) == 2 and abs(arguments[1]) > _MAX_DIGITS:
        raise ValueError(f"round() to {arguments[1]} digits: at most {_MAX_DIGITS}")
    return FUNCTIONS[name](*arguments)


def _check_number(operand: Any) -> None:
    if not isinstance(operand, int | float) or abs(operand) > _MAX_NUMBER:
        raise ValueError(f"{shown(repr(operand))} is not a number to compute with")


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    for operand in (left, right):
        _check_number(operand)
    if isinstance(op, ast.Pow) and abs(right) > _MAX_POWER:
        raise ValueError(f"the exponent {right} is beyond {_MAX_POWER}")
    return _BINARY[type(op)](left, right)


def _comparison(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    left = _value(node.left, values)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, values)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True
