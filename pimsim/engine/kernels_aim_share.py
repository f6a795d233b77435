"""Compiled core: AiM channels in the same state are simulated once; classes of them are divided and united.

``s`` is an AimState, ``c`` a class of channels, ``channels`` bits of channels.
"""

from __future__ import annotations

from pimsim.engine.aim_state import (
    C_DEFERRED,
    C_LAST_READ,
    C_LAST_REFRESH,
    C_LAST_WRITE,
    C_REFRESHES,
    C_REGISTER_MODE,
    C_WAITING,
    C_WAKE,
    C_WRITE_MODE,
    F_CLASSES,
    F_MERGE_LINE,
    F_MERGE_STEP,
    WAITING_NONE,
)
from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel

LONGEST_MERGE_STEP = 4096


@inlined_kernel
def size(s, c):  # type: ignore[no-untyped-def]
    """Channels of class ``c``."""
    channels = 0
    for channel in range(s.class_of.shape[0]):
        if s.class_of[channel] == c:
            channels += 1
    return channels


@inner_kernel
def account(s, c):  # type: ignore[no-untyped-def]
    """Mutates ``s``: the commands of class ``c`` are added to the totals, and counted from 0 again."""
    channels = size(s, c)
    for k in range(s.totals.shape[0]):
        s.totals[k] += channels * s.counts[c, k]
        s.counts[c, k] = 0


@inlined_kernel
def copy_row(array, source, target):  # type: ignore[no-untyped-def]
    """Mutates ``array``: row ``target`` becomes as ``source``."""
    flat = array.reshape(array.size)
    length = array.size // array.shape[0]
    for k in range(length):
        flat[target * length + k] = flat[source * length + k]


@inner_kernel
def copy_class(s, source, target):  # type: ignore[no-untyped-def]
    """Mutates ``s``: class ``target`` becomes as ``source``, but for its members and counts."""
    copy_row(s.channel, source, target)
    copy_row(s.deadline, source, target)
    copy_row(s.history, source, target)
    copy_row(s.open_row, source, target)
    copy_row(s.fifo, source, target)
    copy_row(s.fifo_at, source, target)
    copy_row(s.plain, source, target)
    copy_row(s.plain_count, source, target)
    copy_row(s.deferred, source, target)


@inlined_kernel
def move_members(s, channels, target):  # type: ignore[no-untyped-def]
    """Mutates ``s``: ``channels`` belong to class ``target`` from now on."""
    for channel in range(s.class_of.shape[0]):
        if channels >> channel & 1:
            s.class_of[channel] = target


@inner_kernel
def separate(s, channels):  # type: ignore[no-untyped-def]
    """Mutates ``s``: divides classes of which ``channels`` names some members and not others."""
    for c in range(s.front[F_CLASSES]):
        inside = s.members[c] & channels
        if inside != 0 and inside != s.members[c]:
            account(s, c)
            fresh = s.front[F_CLASSES]
            s.front[F_CLASSES] += 1
            copy_class(s, c, fresh)
            s.members[fresh] = inside
            s.members[c] &= ~inside
            move_members(s, inside, fresh)
            s.front[F_MERGE_STEP] = 1


@inner_kernel
def same_from(s, a, b, clock):  # type: ignore[no-untyped-def]
    """True if nothing that can happen from ``clock`` on tells classes ``a`` and ``b`` apart. Plain requests count as a difference."""
    one, other = s.channel[a], s.channel[b]
    for k in (C_REGISTER_MODE, C_WRITE_MODE, C_REFRESHES, C_LAST_REFRESH):
        if one[k] != other[k]:
            return False
    for k in (C_WAKE, C_LAST_READ, C_LAST_WRITE):
        if max(one[k], clock - 1) != max(other[k], clock - 1):
            return False
    for x in (a, b):
        if s.channel[x, C_WAITING] != WAITING_NONE or s.channel[x, C_DEFERRED] > 0:
            return False
        if s.plain_count[x, 0] + s.plain_count[x, 1] + s.plain_count[x, 2] > 0:
            return False
    if s.fifo_at[a, 1] != s.fifo_at[b, 1]:
        return False
    for k in range(s.fifo_at[a, 1]):
        first, second = (s.fifo_at[a, 0] + k) % s.fifo.shape[1], (s.fifo_at[b, 0] + k) % s.fifo.shape[1]
        for field in range(s.fifo.shape[2]):
            if s.fifo[a, first, field] != s.fifo[b, second, field]:
                return False
    for bank in range(s.open_row.shape[1]):
        if s.open_row[a, bank] != s.open_row[b, bank]:
            return False
    for command in range(s.deadline.shape[1]):
        for node in range(s.deadline.shape[2]):
            if max(s.deadline[a, command, node, 0], clock) != max(s.deadline[b, command, node, 0], clock):
                return False
    for row in range(s.history.shape[1]):
        for node in range(s.history.shape[2]):
            for k in range(s.history.shape[3]):
                if s.history[a, row, node, k] != s.history[b, row, node, k]:
                    return False
    return True


@inner_kernel
def unite(s, a, b):  # type: ignore[no-untyped-def]
    """Mutates ``s``: class ``b`` joins ``a``; the last class takes its number."""
    account(s, a)
    account(s, b)
    last = s.front[F_CLASSES] - 1
    s.members[a] |= s.members[b]
    move_members(s, s.members[b], a)
    if b != last:
        copy_class(s, last, b)
        s.members[b] = s.members[last]
        for k in range(s.totals.shape[0]):
            s.counts[b, k] = s.counts[last, k]
            s.counts[last, k] = 0
        move_members(s, s.members[b], b)
    s.members[last] = 0
    s.front[F_CLASSES] = last


@inner_kernel
def merge_alike(s, line, channels, clock):  # type: ignore[no-untyped-def]
    """Mutates ``s``: unites the classes among ``channels`` that have become alike by ``clock``; in vain, it waits ever longer.

    All of them must have been advanced through the cycle before.
    """
    if line < s.front[F_MERGE_LINE]:
        return
    a, several, united = 0, 0, False
    while a < s.front[F_CLASSES]:
        if s.members[a] & channels:
            several += 1
            for b in range(s.front[F_CLASSES] - 1, a, -1):
                if s.members[b] & channels and same_from(s, a, b, clock):
                    unite(s, a, b)
                    united = True
        a += 1
    if united:
        s.front[F_MERGE_STEP] = 1
    elif several > 1:
        s.front[F_MERGE_STEP] = min(2 * s.front[F_MERGE_STEP], LONGEST_MERGE_STEP)
        s.front[F_MERGE_LINE] = line + s.front[F_MERGE_STEP]
