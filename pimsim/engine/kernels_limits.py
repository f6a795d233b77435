"""Compiled core of explanations: what bound every command of a log, and what would have bound it next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimsim.dram.commands import PROGRAM_SCOPES
from pimsim.dram.organization import DramOrganization
from pimsim.dram.table import RuleTable
from pimsim.engine.kernels_cache import kernel
from pimsim.engine.rule_arrays import NEVER, IntArray

# Limits beside the rules of the table, which are numbered from 0.
BUS, INPUTS, REFRESH, BUSY, DATA = -1, -2, -3, -4, -5
# Columns of what ``bind`` writes for a row of the log.
BOUND_BY, NEXT, SAVED = range(3)


class LimitRules(NamedTuple):
    """Rules ordered by following command: rows ``first[c]:first[c + 1]`` of (preceding, scope, gap, window, number)."""

    first: IntArray
    rules: IntArray
    per_group: int
    groups: int
    banks: int


def limit_rules(table: RuleTable, organization: DramOrganization) -> LimitRules:
    """The whole table, rule by rule."""
    order = sorted(range(len(table.rules)), key=lambda k: (table.rules[k].following, k))
    following = [table.rules[k].following for k in order]
    rows = [(r.preceding, PROGRAM_SCOPES.index(r.scope), r.gap_ck, r.window, k) for k in order for r in (table.rules[k],)]
    first = np.searchsorted(following, np.arange(len(table.standard.commands) + 1)).astype(np.int64)
    shape = organization
    return LimitRules(first, np.array(rows, np.int64), shape.banks_per_group, shape.bank_groups, shape.banks)


def fresh_past(table: RuleTable, rules: LimitRules) -> IntArray:
    """Issue cycles before any command: of each command and node the last ones, as many as the longest window."""
    depth = max(rule.window for rule in table.rules)
    return np.full((len(table.standard.commands), 1 + rules.groups + rules.banks, depth), NEVER, np.int64)


@kernel
def bind(rules, past, log, last, data_cycle, bound):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``bound``: what bound each row of one channel's log; returns the cycle of its last command.

    ``last``: cycle of the command before. ``log`` rows: first cycle, last cycle, offset (-1: refresh's), command, group, bank.
    SAVED is how much earlier the row could have issued without what bound it, when NEXT would have.
    """
    for i in range(log.shape[0]):
        cycle, final, offset, command, group, bank = log[i, 0], log[i, 1], log[i, 2], log[i, 3], log[i, 4], log[i, 5]
        best, best_rule, second, second_rule = NEVER, BUS, NEVER, BUS
        for k in range(rules.first[command], rules.first[command + 1]):
            preceding, scope, gap, window, number = rules.rules[k]
            node = 0 if scope == 0 else (1 + group if scope == 1 else 1 + rules.groups + bank)
            time = past[preceding, node, window - 1] + gap
            if time > best:
                best, best_rule, second, second_rule = time, number, best, best_rule
            elif time > second:
                second, second_rule = time, number
        floor, floor_by = last + 1, BUS
        if data_cycle > floor and offset >= 0:
            floor, floor_by = data_cycle, INPUTS
        if offset < 0:
            bound[i, BOUND_BY], bound[i, NEXT], bound[i, SAVED] = REFRESH, BUS, 0
        elif best >= floor:
            bound[i, BOUND_BY] = best_rule
            bound[i, NEXT] = second_rule if second >= floor else floor_by
            bound[i, SAVED] = cycle - max(second, floor)
        else:
            bound[i, BOUND_BY], bound[i, NEXT], bound[i, SAVED] = floor_by, best_rule, cycle - max(best, last + 1)
        for level in range(3):
            node = 0 if level == 0 else (1 + group if level == 1 else 1 + rules.groups + bank)
            if (level == 1 and group < 0) or (level == 2 and bank < 0):
                continue
            for k in range(past.shape[2] - 1, 0, -1):
                past[command, node, k] = past[command, node, k - 1]
            past[command, node, 0] = final
        last = final
    return last
