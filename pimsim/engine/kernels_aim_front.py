"""Compiled core: the AiM front end, which decodes one instruction a cycle and decides how far each class of channels runs.

An instruction's requests are offered to their channels at once; what a full channel refuses is offered again each
cycle, and until all is taken no other instruction is decoded. RD_MAC, RD_AF, SYNC and EOC hold decoding until every
addressed channel has completed them. A class is advanced to the cycle before it is offered something, and on until it has
taken or completed it; classes that an instruction does not address stay behind. ``s`` is an AimState, ``t`` AimTables,
``c`` a class of channels.
"""

from __future__ import annotations

from pimsim.engine.aim_state import (
    B_ACTIVE,
    B_READ,
    B_WRITE,
    C_ADDRESSED,
    C_BLOCKED,
    C_END_TAKEN,
    C_NEXT_TAKEN,
    C_QUEUED,
    C_WAKE,
    E_ARRIVED,
    E_BANK,
    E_ROW,
    E_WRITES,
    F_CLASSES,
    F_CYCLE,
    F_DECODE,
    F_FINISHED,
    F_LINE,
    F_STARTED,
    F_STATUS,
    F_TICKS_LEFT,
    FAR,
    KIND_NONE,
    KIND_READ,
    KIND_RESULT,
    KIND_SYNC,
    KIND_WRITE,
    P_CAPACITY,
    P_FORWARD_ANY,
    P_OVERTAKE,
    P_SHARE,
    R_BANK,
    R_CHANNELS,
    R_KIND,
    R_OPSIZE,
    R_ROW,
    STATUS_DONE,
    STATUS_RUNNING,
    STATUS_STUCK,
)
from pimsim.engine.kernels_aim import read_departs, wake_at
from pimsim.engine.kernels_aim_share import merge_alike, separate
from pimsim.engine.kernels_aim_time import advance, alike, jump, tick
from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel, kernel
from pimsim.engine.kernels_unowned import unowned


@inlined_kernel
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


@inlined_kernel
def take_plain(t, s, lines, line, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: offers a plain read or write to a controller at ``clock``. True if it is taken."""
    if s.fifo_at[c, 1] > 0:
        return False
    writes = lines[line, R_KIND] == KIND_WRITE
    if not writes and forwards(t, s, c, lines[line, R_BANK], lines[line, R_ROW]):
        read_departs(s, c, clock + 1)
        return True
    buffer = B_WRITE if writes else B_READ
    if s.plain_count[c, buffer] >= t.parameter[P_CAPACITY]:
        return False
    entry = s.plain[c, buffer, s.plain_count[c, buffer]]
    entry[E_BANK] = lines[line, R_BANK]
    entry[E_ROW] = lines[line, R_ROW]
    entry[E_ARRIVED] = clock
    entry[E_WRITES] = writes
    s.plain_count[c, buffer] += 1
    return True


@inlined_kernel
def put(s, c, line, requests):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the next ``requests`` of ``line`` join the AiM queue."""
    ring = s.fifo.shape[1]
    slot = (s.fifo_at[c, 0] + s.fifo_at[c, 1] - 1) % ring
    if s.fifo_at[c, 1] == 0 or s.fifo[c, slot, 0] != line:
        slot = (slot + 1) % ring
        s.fifo_at[c, 1] += 1
        s.fifo[c, slot, 0] = line
        s.fifo[c, slot, 1] = s.channel[c, C_NEXT_TAKEN]
        s.fifo[c, slot, 2] = 0
    s.fifo[c, slot, 2] += requests
    s.channel[c, C_QUEUED] += requests
    s.channel[c, C_NEXT_TAKEN] += requests


@inlined_kernel
def take_aim(t, s, line, c):  # type: ignore[no-untyped-def]
    """Mutates ``s``: offers the AiM requests of ``line`` that are left to a controller. Returns how many it takes."""
    if s.plain_count[c, B_READ] > 0 or s.plain_count[c, B_WRITE] > 0:
        return 0
    if s.plain_count[c, B_ACTIVE] > 0 and not t.parameter[P_OVERTAKE]:
        return 0
    requests = min(t.parameter[P_CAPACITY] - s.channel[c, C_QUEUED], s.channel[c, C_END_TAKEN] - s.channel[c, C_NEXT_TAKEN])
    if requests > 0:
        put(s, c, line, requests)
    return max(0, requests)


@inlined_kernel
def offer(t, s, lines, line, c, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: offers what is left of ``line`` to class ``c``, before its cycle ``clock``. True if all is taken."""
    taken = 0
    if lines[line, R_KIND] in (KIND_READ, KIND_WRITE):
        if take_plain(t, s, lines, line, c, clock - 1):
            taken = 1
            s.channel[c, C_NEXT_TAKEN] += 1
    else:
        taken = take_aim(t, s, line, c)
    if taken > 0:
        wake_at(s, c, clock)
    return s.channel[c, C_NEXT_TAKEN] == s.channel[c, C_END_TAKEN]


@inlined_kernel
def jump_taking(rules, t, s, lines, line, c, clock, until):  # type: ignore[no-untyped-def]
    """Mutates ``s``: as ``jump``, while ``line`` waits: a full queue takes a request for each command that issues.

    Returns the cycle of the last command, ``clock`` if there is none to issue.
    """
    requests = alike(rules, t, s, lines, c, clock, until)
    plain = lines[line, R_KIND] in (KIND_READ, KIND_WRITE)
    if not plain:
        requests = min(requests, s.channel[c, C_END_TAKEN] - s.channel[c, C_NEXT_TAKEN])
    if requests > 0:
        clock = jump(rules, t, s, lines, c, clock, requests)
        if plain:
            offer(t, s, lines, line, c, clock + 1)
        else:
            put(s, c, line, requests)
    return clock


@inner_kernel
def take_all(rules, t, s, lines, line, c, until):  # type: ignore[no-untyped-def]
    """Mutates ``s``: class ``c`` lives on until it has taken or completed ``line``: True, or until ``until``, or too long.

    F_FINISHED becomes the cycle in which that happens, if it is later.
    """
    while s.channel[c, C_WAKE] <= until and s.front[F_TICKS_LEFT] > 0:
        s.front[F_TICKS_LEFT] -= 1
        clock = s.channel[c, C_WAKE]
        blocked = s.channel[c, C_BLOCKED]
        changed = tick(rules, t, s, lines, c, clock)
        if s.channel[c, C_NEXT_TAKEN] < s.channel[c, C_END_TAKEN]:
            if not changed:
                continue
            if not offer(t, s, lines, line, c, clock + 1):
                clock = jump_taking(rules, t, s, lines, line, c, clock, until)
            if s.channel[c, C_NEXT_TAKEN] == s.channel[c, C_END_TAKEN] and not s.channel[c, C_BLOCKED]:
                s.front[F_FINISHED] = max(s.front[F_FINISHED], clock + 1)
                return True
        elif blocked and not s.channel[c, C_BLOCKED]:
            s.front[F_FINISHED] = max(s.front[F_FINISHED], clock)
            return True
        elif changed:
            requests = alike(rules, t, s, lines, c, clock, until)
            if requests > 0:
                jump(rules, t, s, lines, c, clock, requests)
    return False


@inner_kernel
def decode(rules, t, s, lines, line, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: ``line`` is offered to its classes at ``clock``; C_ADDRESSED marks those that it is not done with."""
    s.front[F_STARTED] = 1
    s.front[F_FINISHED] = clock
    kind = lines[line, R_KIND]
    if kind == KIND_NONE:
        return
    if t.parameter[P_SHARE]:
        separate(s, lines[line, R_CHANNELS])
    for c in range(s.front[F_CLASSES]):
        if s.members[c] & lines[line, R_CHANNELS]:
            advance(rules, t, s, lines, c, clock - 1)
    if t.parameter[P_SHARE]:
        merge_alike(s, line, lines[line, R_CHANNELS], clock)
    blocking = kind in (KIND_RESULT, KIND_SYNC)
    for c in range(s.front[F_CLASSES]):
        if s.members[c] & lines[line, R_CHANNELS]:
            s.channel[c, C_NEXT_TAKEN] = 0
            s.channel[c, C_END_TAKEN] = lines[line, R_OPSIZE]
            s.channel[c, C_BLOCKED] = blocking
            taken = offer(t, s, lines, line, c, clock)
            s.channel[c, C_ADDRESSED] = blocking or not taken


@inner_kernel
def finish(rules, t, s, lines, line, until):  # type: ignore[no-untyped-def]
    """Mutates ``s``: lives on until ``line`` is taken and, if it blocks, completed. True if it is, by ``until``."""
    finished = True
    for c in range(s.front[F_CLASSES]):
        if s.channel[c, C_ADDRESSED]:
            if take_all(rules, t, s, lines, line, c, until):
                s.channel[c, C_ADDRESSED] = 0
            else:
                finished = False
                s.front[F_CYCLE] = min(s.channel[c, C_WAKE], until)
                if s.channel[c, C_WAKE] >= FAR:
                    s.front[F_STATUS] = STATUS_STUCK
    return finished


@inner_kernel
def run_until(rules, t, s, lines, until, ticks):  # type: ignore[no-untyped-def]
    """Mutates ``s``: every class lives through ``until``, or as far as the front end or ``ticks`` let it.

    F_STATUS says whether the last instruction has completed, in cycle F_CYCLE.
    """
    front = s.front
    front[F_STATUS] = STATUS_RUNNING
    front[F_TICKS_LEFT] = ticks
    while front[F_LINE] < lines.shape[0] and front[F_DECODE] <= until:
        line = front[F_LINE]
        if not front[F_STARTED]:
            decode(rules, t, s, lines, line, front[F_DECODE])
        if not finish(rules, t, s, lines, line, until):
            break
        front[F_DECODE] = front[F_FINISHED] + 1
        front[F_STARTED] = 0
        front[F_LINE] += 1
    last = until
    if front[F_LINE] == lines.shape[0]:
        last = front[F_FINISHED]
        front[F_STATUS] = STATUS_DONE
        front[F_CYCLE] = last
    if last < FAR - 1:
        for c in range(front[F_CLASSES]):
            advance(rules, t, s, lines, c, last)


@kernel
def run(rules, tables, lines, state, until, ticks):  # type: ignore[no-untyped-def]
    """Mutates ``state``: ``run_until``, on arrays whose references need not be counted."""
    run_until(unowned(rules), unowned(tables), unowned(state), unowned((lines,))[0], until, ticks)
