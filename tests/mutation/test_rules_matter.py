"""Every timing rule of every shipped standard at its edge, and noticed when it is deleted or one cycle short."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.dram.commands import BANK, SAME_BANK
from pimsim.trace import audit
from tests.mutation.rules_matter import edge_case, examine, own_positions, pair_text
from tests.rule_edges import dominated_by, edge_stream, without
from tests.strategies import banks_of, devices

NAMES = sorted(devices())


@pytest.mark.parametrize("name", NAMES)
def test_blocked_one_cycle_before_the_gap_and_ready_at_it(name: str) -> None:
    device = devices()[name]
    wrong = []
    for position in range(len(device.table.stream_rules)):
        if dominated_by(device, device.table.stream_rules[position]):
            continue
        true, edge = edge_case(name, position)
        resolved = true.table.stream_rules[position]
        timed = edge.timed(true)
        early = edge.early(true)
        named = [(f.rule, f.line, f.earlier_line, f.cycles) for f in audit(timed._replace(clock=early), true).violations]
        rule = pair_text(true, position).replace(resolved.rule.gap, f"{resolved.rule.gap} = {resolved.gap_ticks}", 1)
        expected = (rule, int(timed.line[-1]), edge.bound_by, 1)
        at_edge = timed.clock[-1] - timed.clock[edge.bound_by] == resolved.gap_ticks
        if not (at_edge and audit(timed, true).legal and expected in named):
            wrong.append((pair_text(true, position), timed.clock.tolist(), named))
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_banks_of_an_edge_share_the_scope_and_differ_inside_it(name: str) -> None:
    """Else rules of the bank decide in the place of wider ones: a device may have one pseudo channel and one stack ID."""
    device = devices()[name]
    shape, commands = device.organization, device.standard.commands
    for resolved in device.table.stream_rules:
        scopes = {commands[resolved.preceding].scope, commands[resolved.following].scope}
        if scopes != {BANK} or resolved.window > 1 or resolved.scope == SAME_BANK or dominated_by(device, resolved):
            continue
        edge = edge_stream(device, resolved)
        trace = edge.trace.take(np.array([edge.bound_by, edge.trace.commands - 1]))
        where = ((np.maximum(trace.unit, 0) * shape.bank_groups + trace.bank_group) * shape.banks_per_group + trace.bank).tolist()
        together = len({bank // banks_of(device, resolved.scope) for bank in where}) == 1
        assert (together, where[0] == where[1]) == (not resolved.sibling, resolved.scope == BANK), (resolved, where)


@pytest.mark.parametrize("name", NAMES)
def test_each_pair_is_noticed_or_redundant(name: str) -> None:
    verdicts = [examine(name, position) for position in own_positions()[name]]
    unnoticed = [verdict.pair for verdict in verdicts if not verdict.caught and not verdict.redundant]
    needless = [verdict.pair for verdict in verdicts if verdict.caught and verdict.redundant]
    assert (unnoticed, needless) == ([], [])


def test_a_deleted_rule_is_really_gone() -> None:
    device = devices()["gddr6_14000_1250mV"]
    shorter = without(device, 0)
    assert len(shorter.table.stream_rules) == len(device.table.stream_rules) - 1
    assert shorter.table.stream_rules == device.table.stream_rules[1:]
    assert without(device, 0, loosen_ticks=1).table.stream_rules[0].gap_ticks == device.table.stream_rules[0].gap_ticks - 1
