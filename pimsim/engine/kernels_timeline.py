"""Compiled core: blocks recorded once without refresh, and the exact shortcut that uses the record.

What a channel does from a point of a block on depends only on how far each rule's deadline lies ahead of the last issue.
Where that equals the record at the same point, everything up to the next due refresh equals the record, shifted. The
engine therefore jumps from mark to mark of the record, and simulates burst by burst only around refreshes.
"""

from __future__ import annotations

from pimsim.engine.kernels_cache import inner_kernel
from pimsim.engine.kernels_channel import do_refresh, refresh_due, refresh_limit, refresh_urgent, run_burst
from pimsim.engine.rule_arrays import NEVER, WINDOW_GAP, WINDOW_HISTORY, WINDOW_LENGTH
from pimsim.engine.state import (
    AFTER_REFRESH,
    BURSTS,
    DONE,
    FIRST_CAUSE,
    FIRST_EXTRA,
    LAST,
    LOCAL_UNTIL,
    OPEN_ALL,
    OPEN_CYCLES,
    OPEN_MASK,
    REFRESH_PER_BANK,
    REFRESHES,
    SAME_BLOCK,
    SAME_SHIFT,
)

OLD = -(1 << 30)
STRIDE = 2
MARK_POSITION, MARK_LAST, MARK_QUIET, MARK_SEGMENT, MARK_DONE, MARK_CLOSED = range(6)  # columns of ``Marks.scalar``


@inner_kernel
def quiet_from(rules, timing, counters):  # type: ignore[no-untyped-def]
    """A cycle from which on no rule and no command slot holds anything back any more."""
    quiet = max(counters[LAST] + 1, counters[LOCAL_UNTIL])
    for command in range(timing.deadline.shape[0]):
        quiet = max(quiet, timing.deadline[command, 0, 0])
    for k in range(rules.windows.shape[0]):
        past = timing.history[rules.windows[k, WINDOW_HISTORY], 0, rules.windows[k, WINDOW_LENGTH] - 1]
        quiet = max(quiet, past + rules.windows[k, WINDOW_GAP])
    return quiet


@inner_kernel
def nodes_that_matter(timing, counters, marks, m, last):  # type: ignore[no-untyped-def]
    """1 (the channel alone) if neither the state nor mark ``m``, put at ``last``, holds anything back below it; else all."""
    ahead = marks.counters[m, LOCAL_UNTIL] - marks.scalar[m, MARK_LAST]
    if ahead <= 1 and counters[LOCAL_UNTIL] <= last + 1:
        return 1
    return timing.deadline.shape[1]


@inner_kernel
def set_mark(rules, timing, counters, marks, first, m, position, last_closed):  # type: ignore[no-untyped-def]
    """Mutates ``marks``: mark ``m`` records the state before burst ``position``, relative to the last issue.

    ``first`` is the mark at the block's start.
    """
    last = counters[LAST]
    marks.scalar[m, MARK_POSITION] = position
    marks.scalar[m, MARK_LAST] = last
    marks.scalar[m, MARK_QUIET] = quiet_from(rules, timing, counters)
    marks.scalar[m, MARK_SEGMENT] = counters[DONE]
    marks.scalar[m, MARK_DONE] = max(counters[DONE], marks.scalar[m - 1, MARK_DONE]) if m > first else OLD
    marks.scalar[m, MARK_CLOSED] = last_closed
    marks.counters[m] = counters
    for command in range(timing.deadline.shape[0]):
        for node in range(timing.deadline.shape[1]):
            ahead = timing.deadline[command, node, 0] - last
            marks.deadline[m, command, node, 0] = ahead if ahead > 1 else 1
            marks.deadline[m, command, node, 1] = timing.deadline[command, node, 1] if ahead > 1 else -1
    for row in range(timing.history.shape[0]):
        for node in range(timing.history.shape[1]):
            for k in range(timing.history.shape[2]):
                past = timing.history[row, node, k]
                marks.history[m, row, node, k] = past - last if past > last + OLD else OLD


@inner_kernel
def load_mark(timing, counters, marks, m, last):  # type: ignore[no-untyped-def]
    """Mutates ``timing`` and ``counters``: the state recorded at mark ``m`` with the last issue at ``last``."""
    nodes = nodes_that_matter(timing, counters, marks, m, last)
    counters[LAST] = last
    counters[OPEN_MASK] = marks.counters[m, OPEN_MASK]
    counters[OPEN_ALL] = marks.counters[m, OPEN_ALL]
    counters[AFTER_REFRESH] = 0
    counters[SAME_BLOCK] = -1
    counters[LOCAL_UNTIL] = last + marks.counters[m, LOCAL_UNTIL] - marks.scalar[m, MARK_LAST]
    for command in range(timing.deadline.shape[0]):
        for node in range(nodes):
            timing.deadline[command, node, 0] = last + marks.deadline[m, command, node, 0]
            timing.deadline[command, node, 1] = marks.deadline[m, command, node, 1]
    for row in range(timing.history.shape[0]):
        for node in range(nodes):
            for k in range(timing.history.shape[2]):
                past = marks.history[m, row, node, k]
                timing.history[row, node, k] = last + past if past > OLD else NEVER


@inner_kernel
def equals_mark(rules, timing, counters, marks, m):  # type: ignore[no-untyped-def]
    """True if the state's future is that of mark ``m``, shifted: same deadlines ahead, same binders, same windows."""
    last = counters[LAST]
    if counters[AFTER_REFRESH] == 1 or counters[OPEN_MASK] != marks.counters[m, OPEN_MASK]:
        return False
    if counters[OPEN_ALL] != marks.counters[m, OPEN_ALL]:
        return False
    nodes = nodes_that_matter(timing, counters, marks, m, last)
    for node in range(nodes):
        for command in range(timing.deadline.shape[0]):
            ahead = timing.deadline[command, node, 0] - last
            recorded = marks.deadline[m, command, node, 0]
            if ahead > 1:
                if ahead != recorded or timing.deadline[command, node, 1] != marks.deadline[m, command, node, 1]:
                    return False
            elif recorded > 1:
                return False
    for k in range(rules.windows.shape[0]):
        row, gap = rules.windows[k, WINDOW_HISTORY], rules.windows[k, WINDOW_GAP]
        for node in range(nodes):
            for j in range(rules.windows[k, WINDOW_LENGTH]):
                actual = max(timing.history[row, node, j] - last, -gap)
                if actual != max(marks.history[m, row, node, j], -gap):
                    return False
    return True


@inner_kernel
def marked(offset, length):  # type: ignore[no-untyped-def]
    """True if a block of ``length`` bursts has a mark after ``offset`` of them: at powers of two, every STRIDE, at the end."""
    return offset == length or offset % STRIDE == 0 or (offset < STRIDE and offset & (offset - 1) == 0)


@inner_kernel
def record_block(rules, control, blocks, block, timing, counters, marks, m, log):  # type: ignore[no-untyped-def]
    """Mutates fresh state and ``marks``: run ``block`` from cycle 0 without refresh; returns the mark after its end."""
    begin, end = blocks.start[block], blocks.start[block + 1]
    last_closed = OLD
    counters[DONE] = OLD
    first = m
    set_mark(rules, timing, counters, marks, first, m, begin, last_closed)
    m += 1
    for position in range(begin, end):
        closed = counters[OPEN_MASK] == 0
        run_burst(rules, control, timing, counters, log, blocks.burst[position], 0, 0)
        if closed:
            last_closed = counters[LAST]
        if marked(position + 1 - begin, end - begin):
            set_mark(rules, timing, counters, marks, first, m, position + 1, last_closed)
            counters[DONE] = OLD
            m += 1
    return m


@inner_kernel
def undisturbed(control, marks, m, reached, shift, due, urgent):  # type: ignore[no-untyped-def]
    """True if no refresh can intervene from mark ``m`` to ``reached``.

    A refresh goes first when it is due and the banks are closed, or when it is urgent; a refresh of one bank may find
    that bank closed at any time.
    """
    if marks.scalar[reached, MARK_LAST] + shift < due:
        return True
    if control.refresh_mode == REFRESH_PER_BANK or marks.scalar[reached, MARK_LAST] + shift >= urgent:
        return False
    closed = marks.scalar[reached, MARK_CLOSED]
    return closed == marks.scalar[m, MARK_CLOSED] or closed + shift < due


@inner_kernel
def data_between(marks, m, reached):  # type: ignore[no-untyped-def]
    """End of the last data whose commands lie between two marks, where it is not that of all data so far."""
    latest = OLD
    for k in range(m + 1, reached + 1):
        latest = max(latest, marks.scalar[k, MARK_SEGMENT])
    return latest


@inner_kernel
def jump(rules, control, marks, counters, m, last_mark, shift):  # type: ignore[no-untyped-def]
    """Mutates ``counters``: follow the record from mark ``m`` while no refresh intervenes; returns the mark reached."""
    urgent = refresh_urgent(rules, control, counters[REFRESHES])
    due = min(refresh_due(rules, control, counters[REFRESHES]), urgent)
    reached, beyond = m, last_mark + 1
    if undisturbed(control, marks, m, last_mark, shift, due, urgent):
        reached = last_mark
    while beyond - reached > 1 and reached < last_mark:
        middle = (reached + beyond) // 2
        if undisturbed(control, marks, m, middle, shift, due, urgent):
            reached = middle
        else:
            beyond = middle
    if marks.scalar[reached, MARK_DONE] > marks.scalar[m, MARK_DONE]:
        counters[DONE] = max(counters[DONE], marks.scalar[reached, MARK_DONE] + shift)
    elif reached > m:
        counters[DONE] = max(counters[DONE], data_between(marks, m, reached) + shift)
    for k in range(FIRST_CAUSE, FIRST_EXTRA):
        counters[k] += marks.counters[reached, k] - marks.counters[m, k]
    counters[OPEN_CYCLES] += marks.counters[reached, OPEN_CYCLES] - marks.counters[m, OPEN_CYCLES]
    return reached


@inner_kernel
def settle(timing, counters, marks):  # type: ignore[no-untyped-def]
    """Mutates state: write out a state that was only known as the end of a recorded block."""
    if counters[SAME_BLOCK] >= 0:
        m = marks.first[counters[SAME_BLOCK] + 1] - 1
        load_mark(timing, counters, marks, m, marks.scalar[m, MARK_LAST] + counters[SAME_SHIFT])


@inner_kernel
def run_block(rules, control, blocks, marks, timing, counters, log, block, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates one channel's state: issue every burst of ``block``, none before ``data_cycle``.

    ``counters[DONE]`` becomes the cycle at which the block's last data have arrived.
    """
    counters[DONE] = data_cycle
    position, end = blocks.start[block], blocks.start[block + 1]
    m, last_mark = marks.first[block], marks.first[block + 1] - 1
    if control.skip == 1:
        while refresh_limit(rules, control, counters) <= data_cycle:
            settle(timing, counters, marks)
            do_refresh(rules, control, timing, counters, log, data_cycle, wait_cause)
        if counters[SAME_BLOCK] >= 0:
            quiet = marks.scalar[marks.first[counters[SAME_BLOCK] + 1] - 1, MARK_QUIET] + counters[SAME_SHIFT]
        else:
            quiet = quiet_from(rules, timing, counters)
        if quiet <= data_cycle:
            counters[FIRST_CAUSE + wait_cause] += data_cycle - counters[LAST] - 1
            reached = jump(rules, control, marks, counters, m, last_mark, data_cycle)
            if reached == last_mark:
                counters[LAST] = marks.scalar[reached, MARK_LAST] + data_cycle
                counters[SAME_BLOCK], counters[SAME_SHIFT] = block, data_cycle
                return
            load_mark(timing, counters, marks, reached, marks.scalar[reached, MARK_LAST] + data_cycle)
            position, m = marks.scalar[reached, MARK_POSITION], reached
    settle(timing, counters, marks)
    while position < end:
        at_mark = control.skip == 1 and position == marks.scalar[m, MARK_POSITION] and m > marks.first[block]
        if at_mark and equals_mark(rules, timing, counters, marks, m):
            shift = counters[LAST] - marks.scalar[m, MARK_LAST]
            reached = jump(rules, control, marks, counters, m, last_mark, shift)
            if reached > m:
                load_mark(timing, counters, marks, reached, marks.scalar[reached, MARK_LAST] + shift)
                position, m = marks.scalar[reached, MARK_POSITION], reached
                if position == end:
                    counters[SAME_BLOCK], counters[SAME_SHIFT] = block, shift
                    break
        run_burst(rules, control, timing, counters, log, blocks.burst[position], data_cycle, wait_cause)
        counters[BURSTS] += 1
        position += 1
        if m < last_mark and position == marks.scalar[m + 1, MARK_POSITION]:
            m += 1
