"""Explanations: all of an instruction's time is explained, by rules that truly bound; answers are those of simulating again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pimsim.cli import app
from pimsim.config.load import load_hardware, load_workload
from pimsim.engine.fast import FastEngine
from pimsim.engine.kernels_limits import BOUND_BY, BUS, INPUTS, NEXT, SAVED, bind, fresh_past, limit_rules
from pimsim.engine.reference_rules import IssueHistory, Target
from pimsim.explain import elasticity, explain_step
from pimsim.mapping.placement import place
from pimsim.program.lower import Lowering
from pimsim.recording import record_token
from pimsim.units import ps_to_edge, ps_to_s
from pimsim.workload.model import DecoderModel

SMALL = ("workload.model.layers=2", "workload.model.vocabulary=900", "workload.model.max_context=64")
OVERLAP = ("controller.issue=overlap", "dram.refresh.mode=per_bank", "dram.channels=3")
SETTINGS = [(), ("dram.timing.tREFI_ns=1500", "dram.refresh.max_postponed=0"), OVERLAP, ("dram.timing.tCK_ns=0.57",)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_limits_sum_to_the_duration(settings: tuple[str, ...]) -> None:
    record = record_token("pim_gpt", "gpt2_small", 3, settings=(*SMALL, *settings))
    t_ck_ps = record.device.timing.t_ck_ps
    for one, (start, end) in zip(
        explain_step(record.device, record.placement, record.step), record.step.instances[:, :2].tolist(), strict=True
    ):
        begun = ps_to_edge(start, t_ck_ps) * t_ck_ps if one.kind == "pim" else start
        assert sum(one.limits_s.values()) == pytest.approx(ps_to_s(end - begun), rel=1e-9), (one.op, one.role)
        assert one.bound_s == max(one.limits_s.values())
        assert 0 <= one.saved_s <= one.bound_s


def test_critical_path_leads_back_to_the_start() -> None:
    record = record_token("pim_gpt", "gpt2_small", 2, settings=(*SMALL, "controller.issue=overlap"))
    explained = explain_step(record.device, record.placement, record.step)
    current = explained[-1]
    while current.after >= 0:
        assert current.critical and explained[current.after].end_s <= current.end_s
        current = explained[current.after]
    assert current.critical and any(not one.critical for one in explained)


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_bound_a_command_is_what_the_reference_finds(settings: tuple[str, ...]) -> None:
    record = record_token("pim_gpt", "gpt2_small", 1, settings=(*SMALL, *settings))
    device, log = record.device, record.step.log[record.step.log[:, 7] == 0]
    rules = limit_rules(device.table, device.organization)
    spacing = FastEngine(device).rules.commands[log[:, 3], 2]
    rows = np.column_stack([log[:, 0], log[:, 0] + (log[:, 1] - 1) * spacing, log[:, 2:6]])
    bound = np.zeros((len(rows), 3), np.int64)
    bind(rules, fresh_past(device.table, rules), rows, -1, 0, bound)
    history, last, by_rule = IssueHistory(device.table), -1, 0
    for (cycle, final, offset, *target), (limit, following, saved) in zip(rows.tolist(), bound.tolist(), strict=True):
        ready, preceding = history.earliest(Target(*target))
        if limit >= 0:
            by_rule += 1
            assert ready > last and device.table.rules[limit].following == target[0]
            assert device.table.rules[limit].preceding == preceding or ready == last + 1
            assert following != limit and saved <= cycle - last - 1
        elif offset >= 0:
            assert limit == BUS and ready <= last + 1
        history.record(Target(*target), final)
        last = final
    assert by_rule > len(rows) // 2


def test_what_binds_next() -> None:
    """ACT_AB at 0, PREab at 27 (nRAS), ACT_AB at 39 by PREab + nRP 12; nRC 39 after the first binds at the same cycle."""
    device = load_hardware("pim_gpt")
    rules, code = limit_rules(device.table, device.organization), device.table.code
    rows = np.array([(t, t, 0, code[c], -1, -1) for t, c in ((0, "ACT_AB"), (27, "PREab"), (39, "ACT_AB"), (51, "MAC_AB"))])
    bound = np.zeros((4, 3), np.int64)
    assert bind(rules, fresh_past(device.table, rules), rows, -1, 0, bound) == 51

    def gap(limit: int) -> str:
        return device.table.rules[limit].rule.gap

    assert [gap(limit) for limit in bound[1:, BOUND_BY]] == ["nRAS", "nRP", "nRCDMAC"]
    assert gap(bound[2, NEXT]) == "nRC" and bound[2, SAVED] == 0
    assert bound[3, NEXT] == BUS and bound[3, SAVED] == 11
    late = np.array([(70, 70, 0, code["MAC_AB"], -1, -1)])
    bind(rules, fresh_past(device.table, rules), late, 51, 70, bound)
    assert bound[0, BOUND_BY] == INPUTS and bound[0, SAVED] == 18


def test_answers_are_those_of_simulating_again() -> None:
    spec = load_workload("gpt2_small", [setting.removeprefix("workload.") for setting in SMALL])
    answers = {(a.parameter, a.change): a for a in elasticity(load_hardware("pim_gpt"), spec, 8)}
    model = DecoderModel(spec.model)

    def latency_ps(*settings: str) -> int:
        device = load_hardware("pim_gpt", settings)
        return FastEngine(device).run(iter([Lowering(device, model, place(device, model)).step(8, True)])).total_ps

    base = latency_ps()
    for key, settings in {
        ("tRP", "x2"): ("dram.timing.tRP_ns=24",),
        ("channels", "+10 %"): ("dram.channels=9",),
        ("banks", "x2"): ("dram.bank_groups=8", "pim.all_bank_activation.grouped_by=32"),
        ("ASIC clock", "x2"): ("asic.clock_ghz=2",),
        ("global buffer", "+10 %"): ("pim.global_buffer_bytes=2272",),
    }.items():
        assert answers[key].latency_change == pytest.approx(latency_ps(*settings) / base - 1)
    assert answers["tRCD", "+10 %"].after == 14
    assert answers["tCCD", "+10 %"].after is None and "next value is 2" in answers["tCCD", "+10 %"].note
    assert answers["channels", "x2"].latency_change < answers["channels", "+10 %"].latency_change < 0
    assert answers["tRFC", "x2"].latency_elasticity >= 0 >= answers["tREFI", "x2"].latency_elasticity


def test_an_impossible_change_says_why() -> None:
    spec = load_workload("gpt2_small", [setting.removeprefix("workload.") for setting in SMALL])
    answers = elasticity(load_hardware("pim_gpt", ["dram.timing.tREFI_ns=1000"]), spec, 1)
    doubled = next(a for a in answers if (a.parameter, a.change) == ("tRFC", "x2"))
    assert doubled.after is None and "must exceed" in doubled.note


def test_verb_writes_everything(tmp_path: Path) -> None:
    settings = [word for setting in SMALL for word in ("--set", setting)]
    line = ["explain", "pim_gpt", "gpt2_small", "--token", "2", "--json", str(tmp_path / "e.json"), *settings]
    result = CliRunner().invoke(app, line, catch_exceptions=False)
    assert result.exit_code == 0 and "MAC_AB -> MAC_AB" in result.output
    content = json.loads((tmp_path / "e.json").read_text())
    assert {one["layer"] for one in content["instructions"]} == {-1, 0, 1}
    assert content["latency_s"] == max(one["end_s"] for one in content["instructions"])
    assert len(content["elasticity"]) == 24


def test_other_standards_answer_too() -> None:
    """GDDR6-AiM names its timings otherwise and gives tRC by itself."""
    spec = load_workload("gpt2_small", [setting.removeprefix("workload.") for setting in SMALL])
    answers = {(a.parameter, a.change): a for a in elasticity(load_hardware("gddr6_aim"), spec, 8)}
    assert (answers["tRCD", "x2"].before, answers["tRCD", "x2"].after) == (56, 112)
    assert answers["tRP", "x2"].after == 64 and answers["tRP", "x2"].latency_change > 0
    assert answers["tCCD", "x2"].after == 4
