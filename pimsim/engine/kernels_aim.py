"""Compiled core: one AiM channel controller. ``tick`` does what the controller does in one cycle.

Plain reads and writes are served first ready, first come; AiM requests strictly in order. Register commands and array
commands need different modes, which TMOD switches. ``s`` is an AimState, ``t`` AimTables, ``c`` a class of channels.
"""

from __future__ import annotations

from pimsim.engine.aim_state import (
    B_ACTIVE,
    B_READ,
    B_WRITE,
    BUFFER_ENTRIES,
    C_BLOCKED,
    C_DEFERRED,
    C_LAST_READ,
    C_LAST_REFRESH,
    C_LAST_WRITE,
    C_QUEUED,
    C_REFRESHES,
    C_REGISTER_MODE,
    C_REPEATED_AT,
    C_WAITING,
    C_WAITING_FROM,
    C_WAKE,
    C_WRITE_MODE,
    E_ARRIVED,
    E_BANK,
    E_FIELDS,
    E_ROW,
    E_WRITES,
    F_LOGGED,
    FAR,
    K_ACT,
    K_ACT_AB,
    K_PREAB,
    K_PREPB,
    K_RD,
    K_TMOD,
    K_WR,
    KIND_REGISTER,
    KIND_RESULT,
    KIND_SYNC,
    L_BANK,
    L_CLASS,
    L_CLOCK,
    L_COLUMN,
    L_COMMAND,
    L_ROW,
    P_BANKS_PER_GROUP,
    P_CAPACITY,
    P_GROUPED,
    P_REACTIVATE,
    R_BANK,
    R_COMMAND,
    R_KIND,
    R_ROW,
    SOURCE_AIM,
    SOURCE_NONE,
    SOURCE_REFRESH,
    SOURCE_SYNC,
    WAITING_NONE,
    WAITING_RESULT,
    WAITING_SYNC,
    X_BANK,
    X_COLUMN,
    X_COMMAND,
    X_FINAL,
    X_GROUP,
    X_INDEX,
    X_REGISTER,
    X_ROW,
    X_SOURCE,
)
from pimsim.engine.kernels_cache import inlined_kernel
from pimsim.engine.kernels_rules import ChannelRules, earliest, issue
from pimsim.engine.rule_arrays import LATENCY, ROW_ACTION, ROW_CLOSE, ROW_COLUMN_CLOSE, ROW_OPEN, ROW_REFRESH


@inlined_kernel
def settle(s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the instruction that the front end waits for completes, if its time has come. True if it does."""
    if s.channel[c, C_WAITING] == WAITING_NONE or s.channel[c, C_WAITING_FROM] > clock:
        return False
    if s.channel[c, C_WAITING] == WAITING_SYNC:
        if s.channel[c, C_LAST_WRITE] >= clock:
            return False
        last = clock
        for k in range(s.channel[c, C_DEFERRED]):
            last = max(s.deferred[c, k], last + 1)
        s.channel[c, C_LAST_READ] = last
        s.channel[c, C_DEFERRED] = 0
    s.channel[c, C_WAITING] = WAITING_NONE
    s.channel[c, C_BLOCKED] = 0
    return True


@inlined_kernel
def completion_wake(s, c):  # type: ignore[no-untyped-def]
    """Cycle at which the instruction that the front end waits for may complete; FAR if there is none."""
    if s.channel[c, C_WAITING] == WAITING_RESULT:
        return s.channel[c, C_WAITING_FROM]
    if s.channel[c, C_WAITING] == WAITING_SYNC:
        return max(s.channel[c, C_WAITING_FROM], s.channel[c, C_LAST_WRITE] + 1)
    return FAR


@inlined_kernel
def needed(t, s, c, final, bank, row):  # type: ignore[no-untyped-def]
    """(command, bank group, bank) that a request for ``final`` needs next, from the rows that are open.

    ``bank`` is -1 for a request to all banks, and ``row`` too for one that needs no row.
    """
    per_group = t.parameter[P_BANKS_PER_GROUP]
    if bank >= 0:
        now = s.open_row[c, bank]
        command = final if now == row else (t.code[K_ACT] if now < 0 else t.code[K_PREPB])
        return command, bank // per_group, bank
    if row < 0:
        return final, -1, -1
    closed = -1
    for k in range(s.open_row.shape[1]):
        now = s.open_row[c, k]
        if now < 0:
            closed = k if closed < 0 else closed
        elif now != row:
            return t.code[K_PREAB], -1, -1
    if closed < 0:
        return final, -1, -1
    group = closed // per_group if t.parameter[P_GROUPED] else -1
    if not t.parameter[P_REACTIVATE]:
        first = max(0, group) * per_group
        last = first + per_group if group >= 0 else s.open_row.shape[1]
        for k in range(first, last):
            if s.open_row[c, k] >= 0:
                return t.code[K_PREAB], -1, -1
    return t.code[K_ACT_AB], group, -1


@inlined_kernel
def propose(s, command, group, bank, row, column):  # type: ignore[no-untyped-def]
    """Mutates ``s``: this command is the one that may issue now."""
    s.choice[X_COMMAND] = command
    s.choice[X_GROUP] = group
    s.choice[X_BANK] = bank
    s.choice[X_ROW] = row
    s.choice[X_COLUMN] = column


@inlined_kernel
def perform(rules, t, s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the chosen command issues at ``clock``."""
    command, group, bank, row = s.choice[X_COMMAND], s.choice[X_GROUP], s.choice[X_BANK], s.choice[X_ROW]
    issue(rules, ChannelRules(s.deadline[c], s.history[c]), command, group, bank, clock)
    action = rules.commands[command, ROW_ACTION]
    if action in (ROW_OPEN, ROW_CLOSE, ROW_COLUMN_CLOSE):
        per_group = t.parameter[P_BANKS_PER_GROUP]
        first, last = 0, s.open_row.shape[1]
        if bank >= 0:
            first, last = bank, bank + 1
        elif group >= 0:
            first, last = group * per_group, (group + 1) * per_group
        for k in range(first, last):
            s.open_row[c, k] = row if action == ROW_OPEN else -1
    s.counts[c, command] += 1
    if s.log.shape[0] > 0:
        entry = s.log[s.front[F_LOGGED]]
        entry[L_CLOCK] = clock
        entry[L_CLASS] = c
        entry[L_COMMAND] = command
        entry[L_BANK] = bank if bank >= 0 else (group * t.parameter[P_BANKS_PER_GROUP] if group >= 0 else -1)
        entry[L_ROW] = row
        entry[L_COLUMN] = s.choice[X_COLUMN]
        s.front[F_LOGGED] += 1


@inlined_kernel
def perform_in_mode(rules, t, s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: issues the chosen command, or TMOD in its place if the channel is in the other mode. True if it is it."""
    register = s.choice[X_REGISTER]
    other = register >= 0 and s.channel[c, C_REGISTER_MODE] != register
    if other:
        s.channel[c, C_REGISTER_MODE] = register
        s.choice[X_COMMAND] = t.code[K_TMOD]
        s.choice[X_GROUP] = -1
        s.choice[X_BANK] = -1
    perform(rules, t, s, c, clock)
    return not other


@inlined_kernel
def read_departs(s, c, depart):  # type: ignore[no-untyped-def]
    """Mutates ``s``: read data leave in order, one a cycle, from ``depart`` on. Returns when these do, or FAR behind a SYNC."""
    if s.channel[c, C_WAITING] == WAITING_SYNC:
        s.deferred[c, s.channel[c, C_DEFERRED]] = depart
        s.channel[c, C_DEFERRED] += 1
        return FAR
    s.channel[c, C_LAST_READ] = max(depart, s.channel[c, C_LAST_READ] + 1)
    return s.channel[c, C_LAST_READ]


@inlined_kernel
def remove_plain(s, c, buffer, index):  # type: ignore[no-untyped-def]
    """Mutates ``s``: drops an entry of a buffer; the others keep their order."""
    s.plain_count[c, buffer] -= 1
    for k in range(index, s.plain_count[c, buffer]):
        for field in range(E_FIELDS):
            s.plain[c, buffer, k, field] = s.plain[c, buffer, k + 1, field]


@inlined_kernel
def drop_oldest(s, c, requests):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the oldest AiM requests, all of one instruction, leave the queue."""
    slot = s.fifo_at[c, 0]
    s.fifo[c, slot, 1] += requests
    s.fifo[c, slot, 2] -= requests
    s.channel[c, C_QUEUED] -= requests
    if s.fifo[c, slot, 2] == 0:
        s.fifo_at[c, 0] = (slot + 1) % s.fifo.shape[1]
        s.fifo_at[c, 1] -= 1


@inlined_kernel
def choose_buffer(s, c):  # type: ignore[no-untyped-def]
    """Mutates ``s``: writes are drained above 80 % of a buffer or without reads, until below 20 %. Returns the buffer to serve."""
    reads, writes = s.plain_count[c, B_READ], s.plain_count[c, B_WRITE]
    if reads == 0 or 5 * writes > 4 * BUFFER_ENTRIES:
        s.channel[c, C_WRITE_MODE] = 1
    elif 5 * writes < BUFFER_ENTRIES:
        s.channel[c, C_WRITE_MODE] = 0
    return B_WRITE if s.channel[c, C_WRITE_MODE] else B_READ


@inlined_kernel
def choose_plain(rules, t, s, c, buffer, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: proposes what the oldest entry that can issue something now needs.

    Returns (whether there is one, earliest cycle at which another of ``buffer`` can). A precharge of a bank that an
    entry waits on, whose row it has had opened, is not proposed, nor anything else then.
    """
    best, soonest = -1, FAR
    timing = ChannelRules(s.deadline[c], s.history[c])
    for k in range(s.plain_count[c, buffer]):
        final = t.code[K_WR] if s.plain[c, buffer, k, E_WRITES] else t.code[K_RD]
        row = s.plain[c, buffer, k, E_ROW]
        command, group, bank = needed(t, s, c, final, s.plain[c, buffer, k, E_BANK], row)
        time, _ = earliest(rules, timing, command, group, bank)
        if time > clock:
            soonest = min(soonest, time)
        elif best < 0 or s.plain[c, buffer, k, E_ARRIVED] < s.plain[c, buffer, best, E_ARRIVED]:
            best = k
            propose(s, command, group, bank, row, 0)
            s.choice[X_FINAL] = final
    if best < 0:
        return False, soonest
    s.choice[X_REGISTER] = 0
    s.choice[X_SOURCE] = buffer
    s.choice[X_INDEX] = best
    if s.choice[X_COMMAND] == t.code[K_PREPB]:
        for k in range(s.plain_count[c, B_ACTIVE]):
            if s.plain[c, B_ACTIVE, k, E_BANK] == s.choice[X_BANK]:
                s.choice[X_SOURCE] = SOURCE_NONE
    return True, soonest


@inlined_kernel
def choose_aim(rules, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: proposes what the oldest AiM request needs. Returns 0 if it can issue now, else when it can."""
    slot = s.fifo_at[c, 0]
    line = s.fifo[c, slot, 0]
    kind = lines[line, R_KIND]
    s.choice[X_SOURCE] = SOURCE_AIM
    if kind == KIND_SYNC:
        s.choice[X_SOURCE] = SOURCE_SYNC
        return 0
    final = lines[line, R_COMMAND]
    command, group, bank = needed(t, s, c, final, lines[line, R_BANK], lines[line, R_ROW])
    time, _ = earliest(rules, ChannelRules(s.deadline[c], s.history[c]), command, group, bank)
    if time > clock:
        return time
    propose(s, command, group, bank, lines[line, R_ROW], s.fifo[c, slot, 1])
    s.choice[X_FINAL] = final
    s.choice[X_REGISTER] = 1 if kind in (KIND_REGISTER, KIND_RESULT) else 0
    return 0


@inlined_kernel
def choose(rules, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: at most one command of class ``c`` for ``clock``. Returns 0 if there is one, else when there might be.

    Plain requests whose row has been opened come first, then AiM requests, then plain ones.
    """
    soonest = FAR
    for turn in range(2):
        buffer = B_ACTIVE if turn == 0 else choose_buffer(s, c)
        found, other = choose_plain(rules, t, s, c, buffer, clock)
        soonest = min(soonest, other)
        if found:
            return soonest if s.choice[X_SOURCE] == SOURCE_NONE else 0
        if turn == 0 and s.fifo_at[c, 1] > 0:
            return min(soonest, choose_aim(rules, t, s, lines, c, clock))
    return soonest


@inlined_kernel
def plain_done(rules, t, s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: what the command that has issued means to the plain request that it was for."""
    buffer, index, command = s.choice[X_SOURCE], s.choice[X_INDEX], s.choice[X_COMMAND]
    if command == s.choice[X_FINAL]:
        if s.plain[c, buffer, index, E_WRITES]:
            s.channel[c, C_LAST_WRITE] = max(s.channel[c, C_LAST_WRITE], clock + rules.commands[command, LATENCY])
        else:
            read_departs(s, c, clock + rules.commands[command, LATENCY])
        remove_plain(s, c, buffer, index)
    elif command == t.code[K_ACT] and buffer != B_ACTIVE and s.plain_count[c, B_ACTIVE] < t.parameter[P_CAPACITY]:
        for field in range(E_FIELDS):
            s.plain[c, B_ACTIVE, s.plain_count[c, B_ACTIVE], field] = s.plain[c, buffer, index, field]
        s.plain_count[c, B_ACTIVE] += 1
        remove_plain(s, c, buffer, index)


@inlined_kernel
def aim_done(rules, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: what the command that has issued means to the AiM request that it was for."""
    command, slot = s.choice[X_COMMAND], s.fifo_at[c, 0]
    if command != s.choice[X_FINAL]:
        return
    if s.fifo[c, slot, 2] > 1:
        s.channel[c, C_REPEATED_AT] = clock
    departs = clock + rules.commands[command, LATENCY]
    if lines[s.fifo[c, slot, 0], R_KIND] == KIND_RESULT:
        s.channel[c, C_WAITING_FROM] = read_departs(s, c, departs)
        s.channel[c, C_WAITING] = WAITING_RESULT
    else:
        s.channel[c, C_LAST_WRITE] = max(s.channel[c, C_LAST_WRITE], departs)
    drop_oldest(s, c, 1)


@inlined_kernel
def carry_out(rules, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: what was chosen happens at ``clock``."""
    source = s.choice[X_SOURCE]
    if source == SOURCE_SYNC:
        drop_oldest(s, c, 1)
        s.channel[c, C_WAITING] = WAITING_SYNC
        s.channel[c, C_WAITING_FROM] = max(clock, s.channel[c, C_LAST_READ]) + 1
    elif perform_in_mode(rules, t, s, c, clock):
        if source == SOURCE_AIM:
            aim_done(rules, t, s, lines, c, clock)
        elif source == SOURCE_REFRESH:
            if rules.commands[s.choice[X_COMMAND], ROW_ACTION] == ROW_REFRESH:
                s.channel[c, C_REFRESHES] += 1
                s.channel[c, C_LAST_REFRESH] = clock
        else:
            plain_done(rules, t, s, c, clock)


@inlined_kernel
def wake_at(s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: class ``c`` is looked at again at ``clock`` or earlier."""
    s.channel[c, C_WAKE] = min(s.channel[c, C_WAKE], clock)
