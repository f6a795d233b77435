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
    C_DEFERRED,
    C_LAST_READ,
    C_LAST_WRITE,
    C_REGISTER_MODE,
    C_WAITING,
    C_WAITING_FROM,
    C_WAKE,
    C_WRITE_MODE,
    E_ARRIVED,
    E_BANK,
    E_ROW,
    E_WRITES,
    F_LOGGED,
    F_STALLED,
    FAR,
    K_ACT,
    K_ACT_AB,
    K_PREAB,
    K_PREPB,
    K_RD,
    K_TMOD,
    K_WR,
    KIND_ALL,
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
    WAITING_NONE,
    WAITING_RESULT,
    WAITING_SYNC,
)
from pimsim.engine.kernels_cache import inner_kernel
from pimsim.engine.kernels_rules import earliest, issue
from pimsim.engine.rule_arrays import LATENCY, ROW_ACTION, ROW_CLOSE, ROW_COLUMN_CLOSE, ROW_OPEN


@inner_kernel
def settle(s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the instruction that the front end waits for completes, if its time has come. True if it does."""
    channel = s.channel[c]
    if channel[C_WAITING] == WAITING_NONE or channel[C_WAITING_FROM] > clock:
        return False
    if channel[C_WAITING] == WAITING_SYNC:
        if channel[C_LAST_WRITE] >= clock:
            return False
        last = clock
        for k in range(channel[C_DEFERRED]):
            last = max(s.deferred[c, k], last + 1)
        channel[C_LAST_READ] = last
        channel[C_DEFERRED] = 0
    channel[C_WAITING] = WAITING_NONE
    s.front[F_STALLED] -= 1
    return True


@inner_kernel
def completion_wake(s, c):  # type: ignore[no-untyped-def]
    """Cycle at which the instruction that the front end waits for may complete; FAR if there is none."""
    channel = s.channel[c]
    if channel[C_WAITING] == WAITING_RESULT:
        return channel[C_WAITING_FROM]
    if channel[C_WAITING] == WAITING_SYNC:
        return max(channel[C_WAITING_FROM], channel[C_LAST_WRITE] + 1)
    return FAR


@inner_kernel
def banks_of(t, s, c, group, bank):  # type: ignore[no-untyped-def]
    """Range (first, end) of the banks that a command addresses: one, a bank group's, or all."""
    if bank >= 0:
        return bank, bank + 1
    per_group = t.parameter[P_BANKS_PER_GROUP]
    if group >= 0:
        return group * per_group, (group + 1) * per_group
    return 0, s.open_row.shape[1]


@inner_kernel
def needed(t, s, c, all_banks, final, bank, row):  # type: ignore[no-untyped-def]
    """(command, bank group, bank) that a request for ``final`` needs next, from the rows that are open."""
    per_group = t.parameter[P_BANKS_PER_GROUP]
    if bank >= 0:
        now = s.open_row[c, bank]
        command = final if now == row else (t.code[K_ACT] if now < 0 else t.code[K_PREPB])
        return command, bank // per_group, bank
    if not all_banks:
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
        first, last = banks_of(t, s, c, group, -1)
        for k in range(first, last):
            if s.open_row[c, k] >= 0:
                return t.code[K_PREAB], -1, -1
    return t.code[K_ACT_AB], group, -1


@inner_kernel
def perform(rules, timing, t, s, c, command, group, bank, row, column, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: ``command`` issues at ``clock`` on behalf of a request for ``bank``, ``row`` and ``column``."""
    issue(rules, timing, command, group, bank, clock)
    action = rules.commands[command, ROW_ACTION]
    if action in (ROW_OPEN, ROW_CLOSE, ROW_COLUMN_CLOSE):
        first, last = banks_of(t, s, c, group, bank)
        s.open_row[c, first:last] = row if action == ROW_OPEN else -1
    s.counts[c, command] += 1
    if s.log.shape[0] > 0:
        entry = s.log[s.front[F_LOGGED]]
        entry[L_CLOCK] = clock
        entry[L_CLASS] = c
        entry[L_COMMAND] = command
        entry[L_BANK] = bank if bank >= 0 else (group * t.parameter[P_BANKS_PER_GROUP] if group >= 0 else -1)
        entry[L_ROW] = row
        entry[L_COLUMN] = column
        s.front[F_LOGGED] += 1


@inner_kernel
def perform_in_mode(rules, timing, t, s, c, register, command, group, bank, row, column, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: issues ``command``, or TMOD in its place if the channel is in the other mode. True if ``command``."""
    if s.channel[c, C_REGISTER_MODE] != register:
        s.channel[c, C_REGISTER_MODE] = register
        perform(rules, timing, t, s, c, t.code[K_TMOD], -1, -1, row, column, clock)
        return False
    perform(rules, timing, t, s, c, command, group, bank, row, column, clock)
    return True


@inner_kernel
def read_departs(s, c, depart):  # type: ignore[no-untyped-def]
    """Mutates ``s``: read data leave in order, one a cycle, from ``depart`` on. Returns when these do, or FAR behind a SYNC."""
    channel = s.channel[c]
    if channel[C_WAITING] == WAITING_SYNC:
        s.deferred[c, channel[C_DEFERRED]] = depart
        channel[C_DEFERRED] += 1
        return FAR
    channel[C_LAST_READ] = max(depart, channel[C_LAST_READ] + 1)
    return channel[C_LAST_READ]


@inner_kernel
def best_plain(rules, timing, t, s, c, buffer, clock):  # type: ignore[no-untyped-def]
    """(oldest entry that can issue now or -1, earliest cycle at which another of ``buffer`` can)."""
    best, soonest = -1, FAR
    for k in range(s.plain_count[c, buffer]):
        entry = s.plain[c, buffer, k]
        final = t.code[K_WR] if entry[E_WRITES] else t.code[K_RD]
        command, group, bank = needed(t, s, c, False, final, entry[E_BANK], entry[E_ROW])
        time, _ = earliest(rules, timing, command, group, bank)
        if time > clock:
            soonest = min(soonest, time)
        elif best < 0 or entry[E_ARRIVED] < s.plain[c, buffer, best, E_ARRIVED]:
            best = k
    return best, soonest


@inner_kernel
def remove_plain(s, c, buffer, index):  # type: ignore[no-untyped-def]
    """Mutates ``s``: drops an entry of a buffer; the others keep their order."""
    s.plain_count[c, buffer] -= 1
    for k in range(index, s.plain_count[c, buffer]):
        s.plain[c, buffer, k] = s.plain[c, buffer, k + 1]


@inner_kernel
def serve_plain(rules, timing, t, s, c, buffer, index, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: issues what the chosen plain request needs. False if that would close a row that a request waits on."""
    entry = s.plain[c, buffer, index].copy()
    final = t.code[K_WR] if entry[E_WRITES] else t.code[K_RD]
    command, group, bank = needed(t, s, c, False, final, entry[E_BANK], entry[E_ROW])
    if command == t.code[K_PREPB]:
        for k in range(s.plain_count[c, B_ACTIVE]):
            if s.plain[c, B_ACTIVE, k, E_BANK] == bank:
                return False
    if not perform_in_mode(rules, timing, t, s, c, 0, command, group, bank, entry[E_ROW], 0, clock):
        return True
    if command == final:
        remove_plain(s, c, buffer, index)
        if entry[E_WRITES]:
            s.channel[c, C_LAST_WRITE] = max(s.channel[c, C_LAST_WRITE], clock + rules.commands[final, LATENCY])
        else:
            read_departs(s, c, clock + rules.commands[final, LATENCY])
    elif command == t.code[K_ACT] and buffer != B_ACTIVE and s.plain_count[c, B_ACTIVE] < t.parameter[P_CAPACITY]:
        remove_plain(s, c, buffer, index)
        s.plain[c, B_ACTIVE, s.plain_count[c, B_ACTIVE]] = entry
        s.plain_count[c, B_ACTIVE] += 1
    return True


@inner_kernel
def serve_aim(rules, timing, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: issues what the oldest AiM request needs. Returns 0 if it does, else the cycle at which it can."""
    slot = s.fifo_at[c, 0]
    line, column = s.fifo[c, slot, 0], s.fifo[c, slot, 1]
    kind, final, bank, row = lines.kind[line], lines.command[line], lines.bank[line], lines.row[line]
    channel = s.channel[c]
    if kind == KIND_SYNC:
        _drop_oldest(s, c)
        channel[C_WAITING] = WAITING_SYNC
        channel[C_WAITING_FROM] = max(clock, channel[C_LAST_READ]) + 1
        return 0
    command, group, to_bank = needed(t, s, c, kind == KIND_ALL, final, bank, row)
    time, _ = earliest(rules, timing, command, group, to_bank)
    if time > clock:
        return time
    register = 1 if kind in (KIND_REGISTER, KIND_RESULT) else 0
    if perform_in_mode(rules, timing, t, s, c, register, command, group, to_bank, row, column, clock) and command == final:
        _drop_oldest(s, c)
        if kind == KIND_RESULT:
            channel[C_WAITING_FROM] = read_departs(s, c, clock + rules.commands[final, LATENCY])
            channel[C_WAITING] = WAITING_RESULT
        else:
            channel[C_LAST_WRITE] = max(channel[C_LAST_WRITE], clock + rules.commands[final, LATENCY])
    return 0


@inner_kernel
def _drop_oldest(s, c):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the oldest AiM request leaves the queue."""
    s.fifo_at[c, 0] = (s.fifo_at[c, 0] + 1) % s.fifo.shape[1]
    s.fifo_at[c, 1] -= 1


@inner_kernel
def choose_buffer(s, c):  # type: ignore[no-untyped-def]
    """Mutates ``s``: writes are drained above 80 % of a buffer or without reads, until below 20 %. Returns the buffer to serve."""
    reads, writes = s.plain_count[c, B_READ], s.plain_count[c, B_WRITE]
    if reads == 0 or 5 * writes > 4 * BUFFER_ENTRIES:
        s.channel[c, C_WRITE_MODE] = 1
    elif 5 * writes < BUFFER_ENTRIES:
        s.channel[c, C_WRITE_MODE] = 0
    return B_WRITE if s.channel[c, C_WRITE_MODE] else B_READ


@inner_kernel
def serve(rules, timing, t, s, lines, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: at most one command of class ``c`` at ``clock``. Returns 0 if one issues, else when one might."""
    best, soonest = best_plain(rules, timing, t, s, c, B_ACTIVE, clock)
    if best >= 0:
        return 0 if serve_plain(rules, timing, t, s, c, B_ACTIVE, best, clock) else soonest
    if s.fifo_at[c, 1] > 0:
        return min(soonest, serve_aim(rules, timing, t, s, lines, c, clock))
    buffer = choose_buffer(s, c)
    best, other = best_plain(rules, timing, t, s, c, buffer, clock)
    soonest = min(soonest, other)
    if best >= 0 and serve_plain(rules, timing, t, s, c, buffer, best, clock):
        return 0
    return soonest


@inner_kernel
def wake_at(s, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: class ``c`` is looked at again at ``clock`` or earlier."""
    s.channel[c, C_WAKE] = min(s.channel[c, C_WAKE], clock)
