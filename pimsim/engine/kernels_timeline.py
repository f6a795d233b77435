"""Compiled core: blocks recorded once without refresh, and the exact shortcut that uses the record.

What a channel does from a point of a block on depends only on how far each rule's deadline lies ahead of the last issue.
Where that equals the record at the same point, everything up to the next due refresh equals the record, shifted. The
engine therefore jumps from mark to mark of the record, and simulates burst by burst only around refreshes.
"""

from __future__ import annotations

from numba import njit

from pimsim.engine.kernels_channel import do_refresh, refresh_due, run_burst
from pimsim.engine.rule_arrays import NEVER
from pimsim.engine.state import AFTER_REFRESH, BURSTS, DONE, LAST, OPEN_ALL, OPEN_CYCLES, OPEN_MASK, REFRESHES, SAME_BLOCK, SAME_SHIFT

OLD = -(1 << 30)


@njit(cache=True)
def burst_at(blocks, position):  # type: ignore[no-untyped-def]
    """Burst ``position`` of all blocks as (command, group, bank, count, cause)."""
    return (
        blocks.command[position],
        blocks.group[position],
        blocks.bank[position],
        blocks.count[position],
        blocks.cause[position],
    )


@njit(cache=True)
def quiet_from(rules, timing, scalar):  # type: ignore[no-untyped-def]
    """First cycle at which no rule and no command slot holds anything back any more."""
    quiet = scalar[LAST] + 1
    for value in timing.ready.flat:
        quiet = max(quiet, value)
    for k in range(rules.w_gap.shape[0]):
        row = rules.w_history[k]
        for node in range(timing.history.shape[1]):
            quiet = max(quiet, timing.history[row, node, rules.w_window[k] - 1] + rules.w_gap[k])
    return quiet


@njit(cache=True)
def set_mark(rules, timing, scalar, causes, marks, m, position, segment_done):  # type: ignore[no-untyped-def]
    """Mutates ``marks``: mark ``m`` records the state before burst ``position``, relative to the last issue."""
    last = scalar[LAST]
    marks.position[m] = position
    marks.last[m] = last
    marks.segment_done[m] = segment_done
    marks.open_cycles[m] = scalar[OPEN_CYCLES]
    marks.open_mask[m] = scalar[OPEN_MASK]
    marks.open_all[m] = scalar[OPEN_ALL]
    marks.quiet[m] = quiet_from(rules, timing, scalar)
    marks.causes[m] = causes
    for command in range(timing.ready.shape[0]):
        for node in range(timing.ready.shape[1]):
            ahead = timing.ready[command, node] - last
            marks.ready[m, command, node] = ahead if ahead > 1 else 1
            marks.binder[m, command, node] = timing.binder[command, node] if ahead > 1 else -1
    for row in range(timing.history.shape[0]):
        for node in range(timing.history.shape[1]):
            for k in range(timing.history.shape[2]):
                past = timing.history[row, node, k]
                marks.history[m, row, node, k] = past - last if past > last + OLD else OLD


@njit(cache=True)
def load_mark(timing, scalar, marks, m, last):  # type: ignore[no-untyped-def]
    """Mutates ``timing`` and ``scalar``: the state recorded at mark ``m`` with the last issue at ``last``."""
    scalar[LAST] = last
    scalar[OPEN_MASK] = marks.open_mask[m]
    scalar[OPEN_ALL] = marks.open_all[m]
    scalar[AFTER_REFRESH] = 0
    scalar[SAME_BLOCK] = -1
    for command in range(timing.ready.shape[0]):
        for node in range(timing.ready.shape[1]):
            timing.ready[command, node] = last + marks.ready[m, command, node]
            timing.binder[command, node] = marks.binder[m, command, node]
    for row in range(timing.history.shape[0]):
        for node in range(timing.history.shape[1]):
            for k in range(timing.history.shape[2]):
                past = marks.history[m, row, node, k]
                timing.history[row, node, k] = last + past if past > OLD else NEVER


@njit(cache=True)
def equals_mark(rules, timing, scalar, marks, m):  # type: ignore[no-untyped-def]
    """True if the state's future is that of mark ``m``, shifted: same deadlines ahead, same binders, same windows."""
    last = scalar[LAST]
    if scalar[AFTER_REFRESH] == 1 or scalar[OPEN_MASK] != marks.open_mask[m] or scalar[OPEN_ALL] != marks.open_all[m]:
        return False
    for node in range(timing.ready.shape[1]):
        for command in range(timing.ready.shape[0]):
            ahead = timing.ready[command, node] - last
            recorded = marks.ready[m, command, node]
            if ahead > 1:
                if ahead != recorded or timing.binder[command, node] != marks.binder[m, command, node]:
                    return False
            elif recorded > 1:
                return False
    for k in range(rules.w_gap.shape[0]):
        row, gap, depth = rules.w_history[k], rules.w_gap[k], rules.w_window[k]
        for node in range(timing.history.shape[1]):
            for j in range(depth):
                actual = max(timing.history[row, node, j] - last, -gap)
                if actual != max(marks.history[m, row, node, j], -gap):
                    return False
    return True


@njit(cache=True)
def record_block(rules, control, blocks, block, timing, scalar, causes, extra, marks, m, stride, log):  # type: ignore[no-untyped-def]
    """Mutates fresh state and ``marks``: run ``block`` from cycle 0 without refresh; returns the mark after its end."""
    begin, end = blocks.start[block], blocks.start[block + 1]
    scalar[DONE] = OLD
    set_mark(rules, timing, scalar, causes, marks, m, begin, OLD)
    m += 1
    for position in range(begin, end):
        run_burst(rules, control, timing, scalar, causes, extra, log, burst_at(blocks, position), 0, 0)
        if position + 1 == end or (position + 1 - begin) % stride == 0:
            set_mark(rules, timing, scalar, causes, marks, m, position + 1, scalar[DONE])
            scalar[DONE] = OLD
            m += 1
    return m


@njit(cache=True)
def jump(rules, control, marks, scalar, causes, m, last_mark, shift):  # type: ignore[no-untyped-def]
    """Mutates ``scalar`` and ``causes``: follow the record from mark ``m`` while no refresh is due; returns the mark reached."""
    due = refresh_due(rules, control, scalar[REFRESHES])
    reached = m
    if marks.last[last_mark] + shift < due:
        reached = last_mark
    else:
        while reached < last_mark and marks.last[reached + 1] + shift < due:
            reached += 1
    for k in range(m + 1, reached + 1):
        scalar[DONE] = max(scalar[DONE], marks.segment_done[k] + shift)
    for cause in range(causes.shape[0]):
        causes[cause] += marks.causes[reached, cause] - marks.causes[m, cause]
    scalar[OPEN_CYCLES] += marks.open_cycles[reached] - marks.open_cycles[m]
    return reached


@njit(cache=True)
def settle(timing, scalar, marks):  # type: ignore[no-untyped-def]
    """Mutates state: write out a state that was only known as the end of a recorded block."""
    if scalar[SAME_BLOCK] >= 0:
        m = marks.first[scalar[SAME_BLOCK] + 1] - 1
        load_mark(timing, scalar, marks, m, marks.last[m] + scalar[SAME_SHIFT])


@njit(cache=True)
def run_block(rules, control, blocks, marks, timing, scalar, causes, extra, log, block, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates one channel's state: issue every burst of ``block``, none before ``data_cycle``.

    ``scalar[DONE]`` becomes the cycle at which the block's last data have arrived.
    """
    scalar[DONE] = data_cycle
    position, end = blocks.start[block], blocks.start[block + 1]
    m, last_mark = marks.first[block], marks.first[block + 1] - 1
    if control.skip == 1:
        while refresh_due(rules, control, scalar[REFRESHES]) <= data_cycle:
            settle(timing, scalar, marks)
            do_refresh(rules, control, timing, scalar, causes, extra, log, data_cycle, wait_cause)
        if scalar[SAME_BLOCK] >= 0:
            quiet = marks.quiet[marks.first[scalar[SAME_BLOCK] + 1] - 1] + scalar[SAME_SHIFT]
        else:
            quiet = quiet_from(rules, timing, scalar)
        if quiet <= data_cycle:
            causes[wait_cause] += data_cycle - scalar[LAST] - 1
            reached = jump(rules, control, marks, scalar, causes, m, last_mark, data_cycle)
            if reached == last_mark:
                scalar[LAST] = marks.last[reached] + data_cycle
                scalar[SAME_BLOCK], scalar[SAME_SHIFT] = block, data_cycle
                return
            load_mark(timing, scalar, marks, reached, marks.last[reached] + data_cycle)
            position, m = marks.position[reached], reached
    settle(timing, scalar, marks)
    while position < end:
        if control.skip == 1 and position == marks.position[m] and m > marks.first[block]:
            if equals_mark(rules, timing, scalar, marks, m):
                shift = scalar[LAST] - marks.last[m]
                reached = jump(rules, control, marks, scalar, causes, m, last_mark, shift)
                if reached > m:
                    load_mark(timing, scalar, marks, reached, marks.last[reached] + shift)
                    position, m = marks.position[reached], reached
                    if position == end:
                        scalar[SAME_BLOCK], scalar[SAME_SHIFT] = block, shift
                        break
        run_burst(rules, control, timing, scalar, causes, extra, log, burst_at(blocks, position), data_cycle, wait_cause)
        scalar[BURSTS] += 1
        position += 1
        if m < last_mark and position == marks.position[m + 1]:
            m += 1


