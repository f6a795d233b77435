"""Compiled core: the AiM front end that decodes one instruction a cycle, refresh, and the loop over cycles with events.

An instruction's requests are offered to their channels at once; what a full channel refuses is offered again each
cycle, and until all is taken no other instruction is decoded. RD_MAC, RD_AF, SYNC and EOC hold decoding until every
addressed channel has completed them. ``s`` is an AimState, ``t`` AimTables, ``c`` a class of channels.
"""

from __future__ import annotations

from pimsim.engine.aim_state import (
    B_ACTIVE,
    B_READ,
    B_WRITE,
    C_LAST_REFRESH,
    C_REFRESHES,
    C_WAKE,
    E_ARRIVED,
    E_BANK,
    E_ROW,
    E_WRITES,
    F_CYCLE,
    F_LINE,
    F_LOGGED,
    F_SPILLED,
    F_STALLED,
    F_STATUS,
    FAR,
    K_PREAB,
    K_PREPB,
    K_REFAB,
    K_REFPB,
    KIND_NONE,
    KIND_READ,
    KIND_RESULT,
    KIND_SYNC,
    KIND_WRITE,
    P_BANKS_PER_GROUP,
    P_CAPACITY,
    P_FORWARD_ANY,
    P_MAX_POSTPONED,
    P_OVERTAKE,
    P_REFRESH,
    P_REFRESH_INTERVAL,
    P_REFRESH_LEAD,
    REFRESH_ALL_BANK,
    REFRESH_NONE,
    STATUS_DONE,
    STATUS_LOG_FULL,
    STATUS_RUNNING,
    STATUS_STUCK,
)
from pimsim.engine.kernels_aim import banks_of, completion_wake, perform, read_departs, serve, settle, wake_at
from pimsim.engine.kernels_cache import inner_kernel, kernel
from pimsim.engine.kernels_rules import ChannelRules, earliest
from pimsim.engine.kernels_unowned import unowned


@inner_kernel
def forwards(t, s, c, bank, row):  # type: ignore[no-untyped-def]
    """True if a read is answered from a queued write: of the same address, or any with the peer's quirk."""
    if t.parameter[P_FORWARD_ANY]:
        return s.plain_count[c, B_WRITE] > 0
    for buffer in (B_WRITE, B_ACTIVE):
        for k in range(s.plain_count[c, buffer]):
            entry = s.plain[c, buffer, k]
            if entry[E_WRITES] and entry[E_BANK] == bank and entry[E_ROW] == row:
                return True
    return False


@inner_kernel
def take_plain(t, s, lines, line, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: offers a plain read or write to a controller at ``clock``. True if it is taken."""
    if s.fifo_at[c, 1] > 0:
        return False
    writes = lines.kind[line] == KIND_WRITE
    if not writes and forwards(t, s, c, lines.bank[line], lines.row[line]):
        read_departs(s, c, clock + 1)
        return True
    buffer = B_WRITE if writes else B_READ
    if s.plain_count[c, buffer] >= t.parameter[P_CAPACITY]:
        return False
    entry = s.plain[c, buffer, s.plain_count[c, buffer]]
    entry[E_BANK] = lines.bank[line]
    entry[E_ROW] = lines.row[line]
    entry[E_ARRIVED] = clock
    entry[E_WRITES] = writes
    s.plain_count[c, buffer] += 1
    return True


@inner_kernel
def take_aim(t, s, line, column, c):  # type: ignore[no-untyped-def]
    """Mutates ``s``: offers an AiM request to a controller. True if it is taken."""
    if s.plain_count[c, B_READ] > 0 or s.plain_count[c, B_WRITE] > 0:
        return False
    if s.plain_count[c, B_ACTIVE] > 0 and not t.parameter[P_OVERTAKE]:
        return False
    if s.fifo_at[c, 1] >= t.parameter[P_CAPACITY]:
        return False
    slot = (s.fifo_at[c, 0] + s.fifo_at[c, 1]) % s.fifo.shape[1]
    s.fifo[c, slot, 0] = line
    s.fifo[c, slot, 1] = column
    s.fifo_at[c, 1] += 1
    return True


@inner_kernel
def offer(t, s, lines, line, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: offers the requests of ``line`` that wait for class ``c``. Returns how many are taken."""
    kind = lines.kind[line]
    first = s.spill[c, 0]
    while s.spill[c, 0] < s.spill[c, 1]:
        if kind in (KIND_READ, KIND_WRITE):
            taken = take_plain(t, s, lines, line, c, clock)
        else:
            taken = take_aim(t, s, line, s.spill[c, 0], c)
        if not taken:
            break
        s.spill[c, 0] += 1
    if s.spill[c, 0] > first:
        wake_at(s, c, clock + 1)
    return s.spill[c, 0] - first


@inner_kernel
def decode(t, s, lines, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: decodes the next instruction; it is done with if nothing is refused and nothing must be waited for."""
    line = s.front[F_LINE]
    kind = lines.kind[line]
    blocking = kind in (KIND_RESULT, KIND_SYNC)
    if kind != KIND_NONE:
        for c in range(s.spill.shape[0]):
            if lines.member[lines.addressed[line], c]:
                s.spill[c, 0] = 0
                s.spill[c, 1] = lines.opsize[line]
                offer(t, s, lines, line, c, clock)
                s.front[F_STALLED] += 1 if blocking else 0
                s.front[F_SPILLED] += 1 if s.spill[c, 0] < s.spill[c, 1] else 0
    if s.front[F_SPILLED] == 0 and not blocking:
        s.front[F_LINE] += 1


@inner_kernel
def front_end(t, s, lines, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the front end's cycle, before the controllers'. True if anything changed."""
    refused_before = s.front[F_SPILLED] > 0
    moved = 0
    if refused_before:
        for c in range(s.spill.shape[0]):
            if s.spill[c, 0] < s.spill[c, 1]:
                moved += offer(t, s, lines, s.front[F_LINE], c, clock)
                if s.spill[c, 0] == s.spill[c, 1]:
                    s.front[F_SPILLED] -= 1
    if s.front[F_STALLED] > 0:
        return moved > 0
    if refused_before:
        if s.front[F_SPILLED] == 0:
            s.front[F_LINE] += 1
        return moved > 0
    decode(t, s, lines, clock)
    return True


@inner_kernel
def refresh_times(t, s, c):  # type: ignore[no-untyped-def]
    """(cycle from which the next refresh is taken if its banks are closed, cycle from which it closes them)."""
    interval = t.parameter[P_REFRESH_INTERVAL]
    due = (s.channel[c, C_REFRESHES] + 1) * interval
    last = due + t.parameter[P_MAX_POSTPONED] * interval
    last = min(last, s.channel[c, C_LAST_REFRESH] + (1 + t.parameter[P_MAX_POSTPONED]) * interval)
    return due, last - t.parameter[P_REFRESH_LEAD]


@inner_kernel
def refresh_next(t, s, c, clock):  # type: ignore[no-untyped-def]
    """(command or -1, bank group, bank) that refresh asks for now."""
    due, urgent = refresh_times(t, s, c)
    if clock < min(due, urgent):
        return -1, -1, -1
    group, bank = -1, -1
    if t.parameter[P_REFRESH] != REFRESH_ALL_BANK:
        bank = s.channel[c, C_REFRESHES] % s.open_row.shape[1]
        group = bank // t.parameter[P_BANKS_PER_GROUP]
    first, last = banks_of(t, s, c, group, bank)
    closed = True
    for k in range(first, last):
        closed = closed and s.open_row[c, k] < 0
    if closed:
        return t.code[K_REFPB if bank >= 0 else K_REFAB], group, bank
    if clock >= urgent:
        return t.code[K_PREPB if bank >= 0 else K_PREAB], group, bank
    return -1, -1, -1


@inner_kernel
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
    timing = ChannelRules(s.deadline[c], s.history[c])
    command, group, bank = -1, -1, -1
    if t.parameter[P_REFRESH] != REFRESH_NONE:
        command, group, bank = refresh_next(t, s, c, clock)
    if command >= 0:
        soonest, _ = earliest(rules, timing, command, group, bank)
        if soonest <= clock:
            soonest = 0
            perform(rules, timing, t, s, c, command, group, bank, -1, -1, clock)
            if command == t.code[K_REFAB] or command == t.code[K_REFPB]:
                s.channel[c, C_REFRESHES] += 1
                s.channel[c, C_LAST_REFRESH] = clock
    else:
        soonest = serve(rules, timing, t, s, lines, c, clock)
    if settled or soonest == 0:
        s.channel[c, C_WAKE] = clock + 1
        return True
    s.channel[c, C_WAKE] = max(clock + 1, min(soonest, completion_wake(s, c), refresh_wake(t, s, c, clock)))
    return False


@inner_kernel
def run_cycles(rules, t, s, lines, iterations):  # type: ignore[no-untyped-def]
    """Mutates ``s``: runs until the last instruction completes, the log is full, nothing can happen, or ``iterations`` pass.

    F_CYCLE is the cycle to come; cycles in which nothing can happen are skipped.
    """
    classes = s.channel.shape[0]
    s.front[F_STATUS] = STATUS_RUNNING
    for _ in range(iterations):
        if s.log.shape[0] > 0 and s.front[F_LOGGED] + classes > s.log.shape[0]:
            s.front[F_STATUS] = STATUS_LOG_FULL
            return
        clock = s.front[F_CYCLE] + 1
        busy = front_end(t, s, lines, clock - 1)
        stalled = s.front[F_STALLED]
        next_wake = FAR
        for c in range(classes):
            if s.channel[c, C_WAKE] <= clock and tick(rules, t, s, lines, c, clock):
                busy = True
            next_wake = min(next_wake, s.channel[c, C_WAKE])
        if stalled > 0 and s.front[F_STALLED] == 0:
            s.front[F_LINE] += 1
        s.front[F_CYCLE] = clock
        if s.front[F_LINE] >= lines.kind.shape[0]:
            s.front[F_STATUS] = STATUS_DONE
            return
        if not busy:
            if next_wake >= FAR:
                s.front[F_STATUS] = STATUS_STUCK
                return
            s.front[F_CYCLE] = next_wake - 1


@kernel
def run(rules, tables, lines, state, iterations):  # type: ignore[no-untyped-def]
    """Mutates ``state``: ``run_cycles``, on arrays whose references need not be counted."""
    run_cycles(unowned(rules), unowned(tables), unowned(state), unowned(lines), iterations)
