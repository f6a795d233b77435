"""Every timing rule of every shipped standard at its edge, and noticed when it is deleted or one cycle short."""

from __future__ import annotations

import pytest

from pimsim.trace import audit
from tests.mutation.rules_matter import edge_case, examine, own_positions, pair_text
from tests.rule_edges import dominated_by, without
from tests.strategies import devices

NAMES = sorted(devices())


@pytest.mark.parametrize("name", NAMES)
def test_blocked_one_cycle_before_the_gap_and_ready_at_it(name: str) -> None:
    device = devices()[name]
    wrong = []
    for position in range(len(device.table.stream_rules)):
        if dominated_by(device.standard, device.table.stream_rules[position]):
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
