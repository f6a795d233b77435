"""Compiled core of the auditor: compares each command with the last issues of every command that a rule names before it.

Per channel it remembers, for each command and each node (0 the channel, then bank groups, then banks), when and where it
was last issued there; nothing is precomputed at issue, so a rule is applied only where its pair is looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimsim.engine.command_trace import IntArray
from pimsim.engine.kernels_cache import kernel

TIMING, BUS, OPEN_BANK, CLOSED_BANK, WRONG_ROW, REFRESH_OPEN, OVERDUE, LOOSE = range(8)
KINDS = 8
NO_RULE, START = -1, -2
UNKNOWN = -1
ACTION_NONE, ACTION_OPEN, ACTION_CLOSE, ACTION_COLUMN, ACTION_COLUMN_CLOSE, ACTION_REFRESH = range(6)


class AuditRules(NamedTuple):
    """Rules by following command (``first[f]:first[f+1]``), what commands do, and shape.

    ``scope``: 0 channel, 1 bank group, 2 bank. ``shape``: bank groups, banks per group, banks, nodes, deepest window.
    ``refresh``: what is watched (0 nothing, 1 the channel, 2 each bank) and the longest interval in CK.
    """

    first: IntArray
    preceding: IntArray
    scope: IntArray
    gap: IntArray
    window: IntArray
    rule: IntArray
    depth: IntArray
    command_scope: IntArray
    action: IntArray
    shape: IntArray
    refresh: IntArray


class ChannelPast(NamedTuple):
    """What was issued in one channel so far (mutable): clocks and lines by [command, node, k-th last]; banks' rows."""

    clocks: IntArray
    lines: IntArray
    open_row: IntArray
    row_clock: IntArray
    row_line: IntArray
    row_command: IntArray
    refreshed: IntArray
    last: IntArray


class Findings(NamedTuple):
    """What the audit found (mutable): ``counts`` by kind and, in the last place, rows used of ``rows``.

    A row is (kind, index of the command, rule, earlier command, its clock, its line, cycles, bank).
    """

    rows: IntArray
    counts: IntArray


def fresh_past(rules: AuditRules) -> ChannelPast:
    """A channel in which nothing was issued: banks closed.

    Refresh intervals count from cycle 0, or from the first command of a stream that is an excerpt from later on.
    """
    commands, banks, nodes, depth = rules.depth.shape[0], int(rules.shape[2]), int(rules.shape[3]), int(rules.shape[4])
    clocks = np.full((commands, nodes, depth), UNKNOWN, np.int64)
    unknown = np.full(banks, UNKNOWN, np.int64)
    return ChannelPast(
        clocks=clocks,
        lines=clocks.copy(),
        open_row=unknown,
        row_clock=unknown.copy(),
        row_line=unknown.copy(),
        row_command=unknown.copy(),
        refreshed=np.zeros(banks, np.int64),
        last=np.full(3, UNKNOWN, np.int64),
    )


@kernel
def _note(found, kind, index, rule, command, clock, line, cycles, bank):  # type: ignore[no-untyped-def]
    """Mutates ``found``: one more finding; details only while there is room."""
    found.counts[kind] += 1
    used = found.counts[KINDS]
    if used < found.rows.shape[0]:
        row = found.rows[used]
        row[0], row[1], row[2], row[3] = kind, index, rule, command
        row[4], row[5], row[6], row[7] = clock, line, cycles, bank
        found.counts[KINDS] = used + 1


@kernel
def _node(scope, group, bank, groups):  # type: ignore[no-untyped-def]
    if scope == 0:
        return 0
    return 1 + group if scope == 1 else 1 + groups + bank


@kernel
def _check_timing(rules, past, found, index, now, command, group, bank, tight):  # type: ignore[no-untyped-def]
    """Mutates ``found``: every pair rule, and the bus; with ``tight`` also cycles lost after the latest of them."""
    free, bound, before, before_clock, before_line = 0, START, -1, -1, -1
    if past.last[0] >= 0:
        free, bound = past.last[0] + 1, NO_RULE
        before_clock, before_line, before = past.last[0], past.last[1], past.last[2]
        if now < free:
            _note(found, BUS, index, NO_RULE, before, before_clock, before_line, free - now, -1)
    for k in range(rules.first[command], rules.first[command + 1]):
        node = _node(rules.scope[k], group, bank, rules.shape[0])
        clock = past.clocks[rules.preceding[k], node, rules.window[k] - 1]
        if clock == UNKNOWN:
            continue
        line = past.lines[rules.preceding[k], node, rules.window[k] - 1]
        allowed = clock + rules.gap[k]
        if now < allowed:
            _note(found, TIMING, index, rules.rule[k], rules.preceding[k], clock, line, allowed - now, -1)
        if allowed > free:
            free, bound, before, before_clock, before_line = allowed, rules.rule[k], rules.preceding[k], clock, line
    if tight and now > free:
        _note(found, LOOSE, index, bound, before, before_clock, before_line, now - free, -1)


@kernel
def _bank_range(rules, command, group, bank):  # type: ignore[no-untyped-def]
    per_group, banks = rules.shape[1], rules.shape[2]
    scope = rules.command_scope[command]
    if scope == 0:
        return 0, banks
    return (group * per_group, (group + 1) * per_group) if scope == 1 else (bank, bank + 1)


@kernel
def _row_fault(action, open_row, row):  # type: ignore[no-untyped-def]
    """Kind of the fault of ``action`` on a bank whose open row is ``open_row`` (-1: closed), or -1."""
    if action == ACTION_OPEN and open_row >= 0:
        return OPEN_BANK
    if action == ACTION_REFRESH and open_row >= 0:
        return REFRESH_OPEN
    if action in (ACTION_COLUMN, ACTION_COLUMN_CLOSE):
        if open_row < 0:
            return CLOSED_BANK
        if open_row != row:
            return WRONG_ROW
    return -1


@kernel
def _check_rows(rules, past, found, index, command, low, high, row):  # type: ignore[no-untyped-def]
    """Mutates ``found``: at most one finding a command, about its first bank in a wrong state; counts such banks."""
    wrong, first_bank, first_kind = 0, -1, -1
    for b in range(low, high):
        kind = _row_fault(rules.action[command], past.open_row[b], row)
        if kind >= 0:
            wrong += 1
            if first_bank < 0:
                first_bank, first_kind = b, kind
    if wrong:
        b = first_bank
        _note(found, first_kind, index, NO_RULE, past.row_command[b], past.row_clock[b], past.row_line[b], wrong, b)


@kernel
def _set_rows(rules, past, command, low, high, row, clock, line):  # type: ignore[no-untyped-def]
    """Mutates ``past``: rows after the command, and who opened or closed them."""
    action = rules.action[command]
    if action in (ACTION_OPEN, ACTION_CLOSE, ACTION_COLUMN_CLOSE):
        for b in range(low, high):
            past.open_row[b] = row if action == ACTION_OPEN else -1
            past.row_clock[b], past.row_line[b], past.row_command[b] = clock, line, command


@kernel
def _check_refresh(rules, past, found, index, now, low, high, command):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``: banks that this refresh covers, and those it came too late for."""
    watched, limit = rules.refresh[0], rules.refresh[1]
    whole = rules.command_scope[command] == 0
    if watched == 0 or rules.action[command] != ACTION_REFRESH or (watched == 1 and not whole):
        return
    if watched == 1:
        low, high = 0, 1
    for bank in range(low, high):
        late = now - past.refreshed[bank] - limit
        if late > 0:
            _note(found, OVERDUE, index, NO_RULE, command, past.refreshed[bank], -1, late, -1 if watched == 1 else bank)
        past.refreshed[bank] = now


@kernel
def _remember(rules, past, command, group, bank, clock, line):  # type: ignore[no-untyped-def]
    """Mutates ``past``: ``command`` was issued at its nodes."""
    groups = rules.shape[0]
    for scope in range(rules.command_scope[command] + 1):
        node = _node(scope, group, bank, groups)
        for k in range(rules.depth[command] - 1, 0, -1):
            past.clocks[command, node, k] = past.clocks[command, node, k - 1]
            past.lines[command, node, k] = past.lines[command, node, k - 1]
        past.clocks[command, node, 0] = clock
        past.lines[command, node, 0] = line
    past.last[0], past.last[1], past.last[2] = clock, line, command


@kernel
def audit_channel(rules, past, found, tight, clock, command, group, bank, row, line):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``. Checks one channel's next commands; index of a command before its predecessor, or -1."""
    for i in range(command.shape[0]):
        if clock[i] < past.last[0]:
            return i
        if past.last[0] < 0 and clock[i] > rules.refresh[1]:
            past.refreshed[:] = clock[i]
        low, high = _bank_range(rules, command[i], group[i], bank[i])
        _check_timing(rules, past, found, i, clock[i], command[i], group[i], bank[i], tight)
        _check_rows(rules, past, found, i, command[i], low, high, row[i])
        _check_refresh(rules, past, found, i, clock[i], low, high, command[i])
        _set_rows(rules, past, command[i], low, high, row[i], clock[i], line[i])
        _remember(rules, past, command[i], group[i], bank[i], clock[i], line[i])
    return -1


@kernel
def check_rows(rules, past, found, command, group, bank, row, line):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``. Bank states alone, for commands that have no clock yet."""
    for i in range(command.shape[0]):
        low, high = _bank_range(rules, command[i], group[i], bank[i])
        _check_rows(rules, past, found, i, command[i], low, high, row[i])
        _set_rows(rules, past, command[i], low, high, row[i], -1, line[i])
