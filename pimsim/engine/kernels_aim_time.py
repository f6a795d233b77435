"""Compiled core: the time of one class of AiM channels: refresh, one cycle, and many equal commands at once.

While the oldest requests of a class are alike and nothing else is waiting, their commands follow each other at one
distance: ``jump`` issues them together. ``s`` is an AimState, ``t`` AimTables, ``c`` a class of channels.
"""

from __future__ import annotations

from pimsim.engine.aim_state import (
    B_ACTIVE,
    C_LAST_REFRESH,
    C_LAST_WRITE,
    C_REFRESHES,
    C_REPEATED_AT,
    C_WAKE,
    F_LOGGED,
    FAR,
    K_PREAB,
    K_PREPB,
    K_REFAB,
    K_REFPB,
    L_BANK,
    L_CLASS,
    L_CLOCK,
    L_COLUMN,
    L_COMMAND,
    L_ROW,
    P_BANKS_PER_GROUP,
    P_JUMP,
    P_MAX_POSTPONED,
    P_REFRESH,
    P_REFRESH_INTERVAL,
    P_REFRESH_LEAD,
    R_BANK,
    R_COMMAND,
    R_ROW,
    REFRESH_ALL_BANK,
    REFRESH_NONE,
    SOURCE_REFRESH,
    X_REGISTER,
    X_SOURCE,
)
from pimsim.engine.kernels_aim import carry_out, choose, completion_wake, drop_oldest, propose, settle
from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel
from pimsim.engine.kernels_rules import ChannelRules, earliest, issue
from pimsim.engine.rule_arrays import HISTORY, LATENCY, ROW_ACTION, ROW_COLUMN, ROW_NONE, SPACING


@inlined_kernel
def refresh_times(t, s, c):  # type: ignore[no-untyped-def]
    """(cycle from which the next refresh is taken if its banks are closed, cycle from which it closes them)."""
    interval = t.parameter[P_REFRESH_INTERVAL]
    due = (s.channel[c, C_REFRESHES] + 1) * interval
    last = due + t.parameter[P_MAX_POSTPONED] * interval
    last = min(last, s.channel[c, C_LAST_REFRESH] + (1 + t.parameter[P_MAX_POSTPONED]) * interval)
    return due, last - t.parameter[P_REFRESH_LEAD]


@inlined_kernel
def choose_refresh(rules, t, s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: proposes what refresh asks for. Returns -1 if it asks for nothing, 0 if it can issue now, else when."""
    due, urgent = refresh_times(t, s, c)
    if clock < min(due, urgent):
        return -1
    group, bank = -1, -1
    first, last = 0, s.open_row.shape[1]
    if t.parameter[P_REFRESH] != REFRESH_ALL_BANK:
        bank = s.channel[c, C_REFRESHES] % s.open_row.shape[1]
        group = bank // t.parameter[P_BANKS_PER_GROUP]
        first, last = bank, bank + 1
    closed = True
    for k in range(first, last):
        closed = closed and s.open_row[c, k] < 0
    if not closed and clock < urgent:
        return -1
    command = t.code[(K_REFPB if bank >= 0 else K_REFAB) if closed else (K_PREPB if bank >= 0 else K_PREAB)]
    time, _ = earliest(rules, ChannelRules(s.deadline[c], s.history[c]), command, group, bank)
    if time > clock:
        return time
    propose(s, command, group, bank, -1, -1)
    s.choice[X_REGISTER] = -1
    s.choice[X_SOURCE] = SOURCE_REFRESH
    return 0


@inlined_kernel
def refresh_wake(t, s, c, clock):  # type: ignore[no-untyped-def]
    """Next cycle after ``clock`` at which refresh may ask for something new; FAR if there is none."""
    if t.parameter[P_REFRESH] == REFRESH_NONE:
        return FAR
    due, urgent = refresh_times(t, s, c)
    return min(due if due > clock else FAR, urgent if urgent > clock else FAR)


@inner_kernel
def tick(rules, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: one cycle of a controller. True if anything happened; the class then wakes again in the next cycle."""
    settled = settle(s, c, clock)
    soonest = -1
    if t.parameter[P_REFRESH] != REFRESH_NONE:
        soonest = choose_refresh(rules, t, s, c, clock)
    if soonest < 0:
        soonest = choose(rules, t, s, lines, c, clock)
    if soonest == 0:
        carry_out(rules, t, s, lines, c, clock)
    if settled or soonest == 0:
        s.channel[c, C_WAKE] = clock + 1
        return True
    s.channel[c, C_WAKE] = max(clock + 1, min(soonest, completion_wake(s, c), refresh_wake(t, s, c, clock)))
    return False


@inlined_kernel
def alike(rules, t, s, lines, c, clock, until):  # type: ignore[no-untyped-def]
    """How many of the oldest requests issue, none later than ``until``, at the distance of their command after ``clock``."""
    if not t.parameter[P_JUMP] or s.channel[c, C_REPEATED_AT] != clock or s.plain_count[c, B_ACTIVE] > 0:
        return 0
    slot = s.fifo_at[c, 0]
    command = lines[s.fifo[c, slot, 0], R_COMMAND]
    if rules.commands[command, HISTORY] >= 0 or rules.commands[command, ROW_ACTION] not in (ROW_COLUMN, ROW_NONE):
        return 0
    last = until
    if t.parameter[P_REFRESH] != REFRESH_NONE:
        due, urgent = refresh_times(t, s, c)
        last = min(last, min(due, urgent) - 1)
    return max(0, min(s.fifo[c, slot, 2], (last - clock) // rules.commands[command, SPACING]))


@inlined_kernel
def jump(rules, t, s, lines, c, clock, requests):  # type: ignore[no-untyped-def]
    """Mutates ``s``: issues what ``requests`` of the oldest instruction need, after the one issued at ``clock``."""
    slot = s.fifo_at[c, 0]
    line, column = s.fifo[c, slot, 0], s.fifo[c, slot, 1]
    command, bank = lines[line, R_COMMAND], lines[line, R_BANK]
    group = bank // t.parameter[P_BANKS_PER_GROUP] if bank >= 0 else -1
    spacing = rules.commands[command, SPACING]
    last = clock + requests * spacing
    issue(rules, ChannelRules(s.deadline[c], s.history[c]), command, group, bank, last)
    s.counts[c, command] += requests
    s.channel[c, C_LAST_WRITE] = max(s.channel[c, C_LAST_WRITE], last + rules.commands[command, LATENCY])
    if s.log.shape[0] > 0:
        for k in range(requests):
            entry = s.log[s.front[F_LOGGED] + k]
            entry[L_CLOCK] = clock + (k + 1) * spacing
            entry[L_CLASS] = c
            entry[L_COMMAND] = command
            entry[L_BANK] = bank
            entry[L_ROW] = lines[line, R_ROW]
            entry[L_COLUMN] = column + k
        s.front[F_LOGGED] += requests
    drop_oldest(s, c, requests)
    s.channel[c, C_WAKE] = last + 1
    return last


@inner_kernel
def advance(rules, t, s, lines, c, until):  # type: ignore[no-untyped-def]
    """Mutates ``s``: class ``c`` lives through ``until``, being offered nothing."""
    while s.channel[c, C_WAKE] <= until:
        clock = s.channel[c, C_WAKE]
        if tick(rules, t, s, lines, c, clock):
            requests = alike(rules, t, s, lines, c, clock, until)
            if requests > 0:
                jump(rules, t, s, lines, c, clock, requests)
