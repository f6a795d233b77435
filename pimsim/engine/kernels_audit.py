"""Compiled core of the auditor: compares each command with the last issues of every command that a rule names before it.

Per channel it remembers, for each command and each node (the channel, then what it is made of, level by level, down to the
banks), when and where it was last issued there; nothing is precomputed at issue, so a rule is applied only where its pair is
looked at. Clocks and gaps are in ticks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimsim.engine.command_trace import IntArray
from pimsim.engine.kernels_cache import kernel

TIMING, BUS, OPEN_BANK, CLOSED_BANK, WRONG_ROW, REFRESH_OPEN, OVERDUE, LOOSE, HALF_OPEN, NOT_HALF_OPEN, ORDER, NO_CLOCK, LATE = (
    range(13)
)
KINDS = 13
NO_RULE, START, IN_ORDER = -1, -2, -3
UNKNOWN = -1
(
    ACTION_NONE,
    ACTION_OPEN,
    ACTION_CLOSE,
    ACTION_COLUMN,
    ACTION_COLUMN_CLOSE,
    ACTION_REFRESH,
    ACTION_CLOSED,
    ACTION_OPEN_FIRST,
    ACTION_OPEN_SECOND,
) = range(9)
# Columns of ``AuditRules.command``: the level of its scope; its bus and ticks on it; the command that must start the data clock
# for it, or -1; whether it is such a command; how long it keeps the clock running.
C_LEVEL, C_BUS, C_HELD, C_STARTER, C_STARTS, C_KEEPS, C_ACTION = range(7)


class AuditRules(NamedTuple):
    """Rules by following command (``first[f]:first[f+1]``), what commands do, and shape.

    ``level`` and ``window`` of a rule; ``sibling``: 1 if it looks at the other units under the same parent. ``latest``: rows of
    (following, preceding, level, longest gap). ``base``: first node of each level, ``width``: units under one parent,
    ``banks_of``: banks from one unit of a level to the next. ``shape``: banks per group, banks per unit, banks, nodes, deepest
    window, buses, level of the data clock, ticks of a CK. ``refresh``: what is watched (0 nothing, 1 refreshes of all banks,
    2 each bank's) and the longest interval.
    """

    first: IntArray
    preceding: IntArray
    level: IntArray
    gap: IntArray
    window: IntArray
    sibling: IntArray
    rule: IntArray
    depth: IntArray
    command: IntArray
    latest: IntArray
    base: IntArray
    width: IntArray
    banks_of: IntArray
    shape: IntArray
    refresh: IntArray


class ChannelPast(NamedTuple):
    """What was issued in one channel so far (mutable): clocks and lines by [command, node, k-th last]; banks' rows.

    ``half``: 1 where the first of two activation commands was issued. ``bus``: clock, line and command of the last issue on each
    bus; ``last`` that of all. ``clock_until``: when the data clock at a node stops.
    """

    clocks: IntArray
    lines: IntArray
    open_row: IntArray
    half: IntArray
    row_clock: IntArray
    row_line: IntArray
    row_command: IntArray
    refreshed: IntArray
    bus: IntArray
    clock_until: IntArray
    last: IntArray
    slack: IntArray


class Findings(NamedTuple):
    """What the audit found (mutable): ``counts`` by kind and, in the last place, rows used of ``rows``.

    A row is (kind, index of the command, rule, earlier command, its clock, its line, ticks, bank).
    """

    rows: IntArray
    counts: IntArray


def fresh_past(rules: AuditRules) -> ChannelPast:
    """A channel in which nothing was issued: banks closed.

    Refresh intervals count from cycle 0, or from the first command of a stream that is an excerpt from later on.
    """
    banks, nodes, depth = int(rules.shape[2]), int(rules.shape[3]), int(rules.shape[4])
    clocks = np.full((rules.depth.shape[0], nodes, depth), UNKNOWN, np.int64)
    unknown = np.full(banks, UNKNOWN, np.int64)
    return ChannelPast(
        clocks=clocks,
        lines=clocks.copy(),
        open_row=unknown,
        half=np.zeros(banks, np.int64),
        row_clock=unknown.copy(),
        row_line=unknown.copy(),
        row_command=unknown.copy(),
        refreshed=np.zeros(banks, np.int64),
        bus=np.full((int(rules.shape[5]), 3), UNKNOWN, np.int64),
        clock_until=np.full(nodes, UNKNOWN, np.int64),
        last=np.full(3, UNKNOWN, np.int64),
        slack=np.zeros(1, np.int64),
    )


@kernel
def _note(found, kind, index, rule, command, clock, line, ticks, bank):  # type: ignore[no-untyped-def]
    """Mutates ``found``: one more finding; details only while there is room."""
    found.counts[kind] += 1
    used = found.counts[KINDS]
    if used < found.rows.shape[0]:
        row = found.rows[used]
        row[0], row[1], row[2], row[3] = kind, index, rule, command
        row[4], row[5], row[6], row[7] = clock, line, ticks, bank
        found.counts[KINDS] = used + 1


@kernel
def _latest_of(rules, past, k, places):  # type: ignore[no-untyped-def]
    """Node at which the preceding command of rule ``k`` was issued last, as its window counts; -1 if nowhere."""
    level, before, window = rules.level[k], rules.preceding[k], rules.window[k] - 1
    node = places[level]
    if rules.sibling[k] == 0:
        return node if past.clocks[before, node, window] != UNKNOWN else -1
    inside = node - rules.base[level]
    oldest = rules.base[level] + inside - inside % rules.width[level]
    best = -1
    for other in range(oldest, oldest + rules.width[level]):
        known = other != node and past.clocks[before, other, window] != UNKNOWN
        if known and (best < 0 or past.clocks[before, other, window] > past.clocks[before, best, window]):
            best = other
    return best


@kernel
def _check_timing(rules, past, found, index, now, command, places, tight):  # type: ignore[no-untyped-def]
    """Mutates ``found``: order, the bus, and every pair rule; with ``tight`` also ticks lost after the latest of them."""
    free, bound, before, before_clock, before_line = 0, START, -1, -1, -1
    if past.last[0] >= 0:
        free, bound = past.last[0], IN_ORDER
        before_clock, before_line, before = past.last[0], past.last[1], past.last[2]
        if now < free:
            _note(found, ORDER, index, IN_ORDER, before, before_clock, before_line, free - now, -1)
    bus = past.bus[rules.command[command, C_BUS]]
    started = False
    if bus[0] >= 0:
        after_bus = bus[0] + rules.command[bus[2], C_HELD]
        if now < after_bus:
            _note(found, BUS, index, NO_RULE, bus[2], bus[0], bus[1], after_bus - now, -1)
        started = rules.command[bus[2], C_STARTS] == 1 and rules.command[command, C_STARTER] == bus[2]
        if started:
            free = 0
        if after_bus >= free and not started:
            free, bound, before_clock, before_line, before = after_bus, NO_RULE, bus[0], bus[1], bus[2]
    for k in range(rules.first[command], rules.first[command + 1]):
        node = _latest_of(rules, past, k, places)
        if node < 0:
            continue
        clock = past.clocks[rules.preceding[k], node, rules.window[k] - 1]
        line = past.lines[rules.preceding[k], node, rules.window[k] - 1]
        allowed = clock + rules.gap[k]
        if now < allowed:
            _note(found, TIMING, index, rules.rule[k], rules.preceding[k], clock, line, allowed - now, -1)
        if allowed > free and rules.command[rules.preceding[k], C_STARTS] == 0:
            free, bound, before, before_clock, before_line = allowed, rules.rule[k], rules.preceding[k], clock, line
    loose = min(now - free, past.slack[0]) if started else now - free
    past.slack[0] = now - free
    if tight and loose > 0 and rules.command[command, C_STARTS] == 0:
        _note(found, LOOSE, index, bound, before, before_clock, before_line, loose, -1)


@kernel
def _check_latest(rules, past, found, index, now, command, places):  # type: ignore[no-untyped-def]
    """Mutates ``found``: commands that come later after another one than they may."""
    for k in range(rules.latest.shape[0]):
        following, preceding, level, gap = rules.latest[k]
        if following == command and past.clocks[preceding, places[level], 0] != UNKNOWN:
            clock = past.clocks[preceding, places[level], 0]
            if now > clock + gap:
                line = past.lines[preceding, places[level], 0]
                _note(found, LATE, index, k, preceding, clock, line, now - clock - gap, -1)


@kernel
def _check_data_clock(rules, past, found, index, now, command, places):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``: a column command needs the data clock running, or started in the CK before it.

    A command that starts the clock is the first half of the column command behind it, wanted or not."""
    starter = rules.command[command, C_STARTER]
    if starter < 0:
        return
    node, ck = places[rules.shape[6]], rules.shape[7]
    needed = now >= past.clock_until[node] or past.last[2] == starter
    if needed and past.clocks[starter, node, 0] != now - ck:
        clock, line = past.clocks[starter, node, 0], past.lines[starter, node, 0]
        _note(found, NO_CLOCK, index, NO_RULE, starter if clock >= 0 else -1, clock, line, 0, -1)
    past.clock_until[node] = max(past.clock_until[node], now + rules.command[command, C_KEEPS])


@kernel
def _bank_range(rules, command, places):  # type: ignore[no-untyped-def]
    """First bank that a command addresses, one after the last, and how far they are apart."""
    level, levels = rules.command[command, C_LEVEL], rules.base.shape[0]
    inside = places[level] - rules.base[level]
    if level == levels - 2:
        per_group, per_unit = rules.shape[0], rules.shape[1]
        low = inside // per_group * per_unit + inside % per_group
        return low, inside // per_group * per_unit + per_unit, per_group
    return inside * rules.banks_of[level], (inside + 1) * rules.banks_of[level], 1


@kernel
def _row_fault(action, open_row, half, row):  # type: ignore[no-untyped-def]
    """Kind of the fault of ``action`` on a bank whose open row is ``open_row`` (-1: closed), or -1."""
    if action == ACTION_OPEN_SECOND:
        return -1 if half == 1 and open_row == row else NOT_HALF_OPEN
    if half == 1 and action != ACTION_NONE:
        return HALF_OPEN
    if action in (ACTION_OPEN, ACTION_OPEN_FIRST) and open_row >= 0:
        return OPEN_BANK
    if action in (ACTION_REFRESH, ACTION_CLOSED) and open_row >= 0:
        return REFRESH_OPEN
    if action in (ACTION_COLUMN, ACTION_COLUMN_CLOSE):
        if open_row < 0:
            return CLOSED_BANK
        if open_row != row:
            return WRONG_ROW
    return -1


@kernel
def _check_rows(rules, past, found, index, command, banks, row):  # type: ignore[no-untyped-def]
    """Mutates ``found``: at most one finding a command, about its first bank in a wrong state; counts such banks."""
    wrong, first_bank, first_kind = 0, -1, -1
    for b in range(banks[0], banks[1], banks[2]):
        kind = _row_fault(rules.command[command, C_ACTION], past.open_row[b], past.half[b], row)
        if kind >= 0:
            wrong += 1
            if first_bank < 0:
                first_bank, first_kind = b, kind
    if wrong:
        b = first_bank
        _note(found, first_kind, index, NO_RULE, past.row_command[b], past.row_clock[b], past.row_line[b], wrong, b)


@kernel
def _set_rows(rules, past, command, banks, row, clock, line):  # type: ignore[no-untyped-def]
    """Mutates ``past``: rows after the command, and who opened or closed them."""
    action = rules.command[command, C_ACTION]
    if action in (ACTION_OPEN, ACTION_CLOSE, ACTION_COLUMN_CLOSE, ACTION_OPEN_FIRST, ACTION_OPEN_SECOND):
        for b in range(banks[0], banks[1], banks[2]):
            past.open_row[b] = -1 if action in (ACTION_CLOSE, ACTION_COLUMN_CLOSE) else row
            past.half[b] = 1 if action == ACTION_OPEN_FIRST else 0
            past.row_clock[b], past.row_line[b], past.row_command[b] = clock, line, command


@kernel
def _check_refresh(rules, past, found, index, now, command, banks):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``: banks that this refresh covers, and those it came too late for."""
    watched, limit = rules.refresh[0], rules.refresh[1]
    whole = rules.command[command, C_LEVEL] < rules.base.shape[0] - 3
    if watched == 0 or rules.command[command, C_ACTION] != ACTION_REFRESH or (watched == 1 and not whole):
        return
    for bank in range(banks[0], banks[1], banks[2]):
        late = now - past.refreshed[bank] - limit
        if late > 0 and (watched == 2 or bank == banks[0]):
            _note(found, OVERDUE, index, NO_RULE, command, past.refreshed[bank], -1, late, -1 if watched == 1 else bank)
        past.refreshed[bank] = now


@kernel
def _remember(rules, past, command, places, clock, line):  # type: ignore[no-untyped-def]
    """Mutates ``past``: ``command`` was issued at its nodes."""
    for level in range(places.shape[0]):
        node = places[level]
        if node < 0:
            continue
        for k in range(rules.depth[command] - 1, 0, -1):
            past.clocks[command, node, k] = past.clocks[command, node, k - 1]
            past.lines[command, node, k] = past.lines[command, node, k - 1]
        past.clocks[command, node, 0] = clock
        past.lines[command, node, 0] = line
    past.last[0], past.last[1], past.last[2] = max(clock, past.last[0]), line, command
    bus = past.bus[rules.command[command, C_BUS]]
    bus[0], bus[1], bus[2] = clock, line, command


@kernel
def audit_channel(rules, past, found, tight, clock, command, places, row, line):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``. Checks one channel's next commands; on a single bus it stops at a command before its
    predecessor: its index, or -1."""
    for i in range(command.shape[0]):
        if clock[i] < past.last[0] and past.bus.shape[0] == 1:
            return i
        if past.last[0] < 0 and clock[i] > rules.refresh[1]:
            past.refreshed[:] = clock[i]
        banks = _bank_range(rules, command[i], places[i])
        _check_timing(rules, past, found, i, clock[i], command[i], places[i], tight)
        _check_latest(rules, past, found, i, clock[i], command[i], places[i])
        _check_data_clock(rules, past, found, i, clock[i], command[i], places[i])
        _check_rows(rules, past, found, i, command[i], banks, row[i])
        _check_refresh(rules, past, found, i, clock[i], command[i], banks)
        _set_rows(rules, past, command[i], banks, row[i], clock[i], line[i])
        _remember(rules, past, command[i], places[i], clock[i], line[i])
    return -1


@kernel
def check_rows(rules, past, found, command, places, row, line):  # type: ignore[no-untyped-def]
    """Mutates ``past`` and ``found``. Bank states alone, for commands that have no clock yet."""
    for i in range(command.shape[0]):
        banks = _bank_range(rules, command[i], places[i])
        _check_rows(rules, past, found, i, command[i], banks, row[i])
        _set_rows(rules, past, command[i], banks, row[i], -1, line[i])
