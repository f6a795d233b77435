"""Expressions of sweeps: what they are worth, and everything they refuse."""

from __future__ import annotations

import pytest

from pimsim.config.expression import read_expression
from pimsim.errors import ConfigError

VALUES = {"dram.channels": 8, "pim.mac_lanes": 16, "mapping": "pim_gpt", "tokens": 128}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dram.channels * pim.mac_lanes", 128),
        ("dram.channels * pim.mac_lanes <= 127", False),
        ("4 < dram.channels <= 8", True),
        ("8 < dram.channels <= 8", False),
        ("mapping == 'pim_gpt' and not tokens > 128", True),
        ("mapping in ['row_per_output', 'other'] or tokens % 3 == 2", True),
        ("2 ** 4 // 3 if dram.channels > 4 else -1", 5),
        ("max(dram.channels, 10) + ceil(0.5) - floor(1.5) + log2(8)", 13),
        ("mapping not in ['pim_gpt']", False),
        ("true or 1 / 0", True),
    ],
)
def test_values(text: str, value: object) -> None:
    assert read_expression(text, "where").value(VALUES) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('true')", "unknown function ''"),
        ("open('x')", "unknown function 'open'; allowed: min, max"),
        ("[c for c in mapping]", "ListComp is not allowed"),
        ("lambda: 1", "Lambda is not allowed"),
        ("tokens[0]", "Subscript is not allowed"),
        ("f'{tokens}'", "JoinedStr is not allowed"),
        ("(tokens := 3)", "NamedExpr is not allowed"),
        ("tokens = 3", "is not an expression"),
        ("tokens <", "is not an expression"),
        ("min(tokens, key=abs)", "min() takes values alone"),
        ("tokens & 3", "BinOp is not allowed"),
        ("b'x'", "Constant is not allowed"),
        ("1 + " * 500 + "1", "an expression of 2001 characters; at most 1000"),
        ("-" * 900 + "1", "nested too deeply"),
    ],
)
def test_refused_when_read(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_expression(text, "where")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / (dram.channels - 8)", "division by zero"),
        ("mapping * 1000", "'pim_gpt' is not a number"),
        ("tokens + 'a'", "'a' is not a number"),
        ("tokens ** 65", "the exponent 65 is beyond 64"),
        ("10 ** 60 * tokens", "is not a number to compute with"),
        ("tokens in 5", "not iterable"),
        ("dram.rows", "no value for 'dram.rows'"),
        ("mapping < 3", "not supported"),
    ],
)
def test_without_a_value(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_expression(text, "where").value(VALUES)
    assert message in str(error.value)


def test_unknown_names_come_with_the_nearest() -> None:
    expression = read_expression("dram.chanels > max(tokens, 1)", "s.yaml: where")
    assert expression.names == ("dram.chanels", "tokens")
    with pytest.raises(ConfigError, match=r"s.yaml: where: .* unknown name 'dram.chanels' \(did you mean 'dram.channels'\?\)"):
        expression.check_names(VALUES)
