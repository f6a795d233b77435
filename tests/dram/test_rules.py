"""Gap expressions and the checks on rules and standards."""

from __future__ import annotations

import pytest

from pimsim.config.load import load_hardware
from pimsim.dram.commands import BANK, CHANNEL, Command
from pimsim.dram.organization import DramOrganization
from pimsim.dram.rules import TimingRule, evaluate_gap, gap_parameters, rule
from pimsim.dram.standard import Standard
from pimsim.dram.timing import link_cycles
from pimsim.errors import ConfigError

CYCLES = {"nCL": 24, "nBL": 2, "nWR": 30, "nRCDRD": 12}


@pytest.mark.parametrize(
    "expression, value",
    [
        ("nCL", 24),
        ("nCL + 1", 25),
        ("nCL - nBL", 22),
        ("2 * nBL + nWR", 34),
        ("max(nBL, nCL - nWR)", 2),
        ("min(nBL, nWR)", 2),
        ("3", 3),
    ],
)
def test_gap_expressions(expression: str, value: int) -> None:
    assert evaluate_gap(expression, CYCLES) == value


def test_missing_parameter_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'nRCDDR' is needed by 'nBL \+ nRCDDR' \(did you mean 'nRCDRD'\?\)"):
        evaluate_gap("nBL + nRCDDR", CYCLES)


@pytest.mark.parametrize(
    "expression", ["nCL / 2", "nCL ** 2", "abs(nCL)", "nCL.real", "1.5", "'a'", "[nCL]", "-nCL", "nCL if 1 else 2"]
)
def test_anything_else_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="may hold parameters"):
        evaluate_gap(expression, CYCLES)


def test_parameters_in_order_of_appearance() -> None:
    assert gap_parameters("max(nWR, nCL + nBL) + nCL") == ["nWR", "nCL", "nBL"]


def test_rule_names_all_its_pairs() -> None:
    made = rule("channel", "RD RDA", "WR", "nCL", 2)
    assert list(made.pairs()) == [("RD", "WR"), ("RDA", "WR")]
    assert str(made) == "channel: RD/RDA -> WR: nCL (window 2)"


@pytest.mark.parametrize("scope, window", [("row", 1), ("bank", 0)])
def test_wrong_rules(scope: str, window: int) -> None:
    with pytest.raises(ValueError, match=r"row|window"):
        TimingRule(scope, ("ACT",), ("ACT",), "nRC", window)


COMMANDS = (Command("ACT", BANK, row="open"), Command("PREab", CHANNEL, row="close"))


@pytest.mark.parametrize(
    "wrong, message",
    [
        (rule("bank", "ACT", "PRE", "nRAS"), "unknown command 'PRE'"),
        (rule("bank", "ACT", "PREab", "nRAS"), "PREab addresses a whole channel"),
        (rule("bank_group", "ACT", "PREab", "nRAS"), "PREab addresses the channel, so must the rule"),
    ],
)
def test_standard_refuses_rules_it_cannot_apply(wrong: TimingRule, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Standard("X", COMMANDS, (), (wrong,))


def test_sizes_of_an_organization() -> None:
    shape = DramOrganization(8, 4, 4, 16384, 2048, 32)
    assert (shape.banks, shape.columns, shape.bank_bytes) == (16, 64, 32 << 20)
    assert (shape.channel_bytes, shape.capacity_bytes) == (512 << 20, 4 << 30)
    assert [shape.bank_group_of(bank) for bank in (0, 3, 4, 15)] == [0, 0, 1, 3]


@pytest.mark.parametrize("gbit_per_s, t_ck_ps, cycles", [(256.0, 1000, 1), (255.0, 1000, 2), (224.0, 570, 3), (1e6, 1000, 1)])
def test_a_column_on_the_link_takes_whole_cycles(gbit_per_s: float, t_ck_ps: int, cycles: int) -> None:
    assert link_cycles(32, gbit_per_s, t_ck_ps) == cycles


def test_resolved_table_of_a_device() -> None:
    table = load_hardware("gddr6_14000_1250mV").table
    code = table.code
    window = [r for r in table.rules if r.window == 4]
    assert {(r.preceding, r.following, r.gap_ck) for r in window} == {
        (code[before], code[after], 43) for before in ("ACT", "REFpb") for after in ("ACT", "REFpb")
    }
    assert table.latency_ck[code["RD"]] == 26
