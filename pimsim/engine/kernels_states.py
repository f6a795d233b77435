"""Compiled core: timing states of a channel by number, so that two are equal if and only if their numbers are."""

from __future__ import annotations

from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel
from pimsim.engine.memo import MAX_STATES
from pimsim.engine.rule_arrays import NEVER
from pimsim.engine.state import OWN_ARRAYS


@inner_kernel
def mixed(seed, word):  # type: ignore[no-untyped-def]
    """A hash of ``seed`` and one more ``word``: a non-negative number of 62 bits."""
    value = (seed ^ word) * -7046029254386353131
    value ^= (value >> 29) & 0x7FFFFFFFF
    return value & 0x3FFFFFFFFFFFFFFF


@inner_kernel
def state_number(memo, now):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the number of the state that a channel's arrays are in; OWN_ARRAYS if there is no room for it."""
    row, last = memo.state_values[memo.states], now.last
    quiet, code = 1, now.after_refresh
    for k in range(memo.deadlines):
        command, node = memo.deadline[k].command, memo.deadline[k].node
        ahead, binder = now.deadline[command, node, 0] - last, now.deadline[command, node, 1]
        if ahead <= 1:
            ahead, binder = 1, -1
        row[k], row[memo.deadlines + k] = ahead, binder
        quiet = max(quiet, ahead)
        code = mixed(code, ahead * 64 + binder)
    for k in range(memo.entries):
        entry = memo.entry[k]
        past = max(now.history[entry.history, entry.node, entry.ago] - last, -entry.gap)
        row[2 * memo.deadlines + k] = past
        if past > -entry.gap:
            quiet = max(quiet, past + entry.gap + 1)
        code = mixed(code, past)
    slots = memo.state_table.shape[0] - 1
    slot = code & slots
    while memo.state_table[slot] != 0:
        known = memo.state_table[slot] - 1
        if memo.after_refresh[known] == now.after_refresh and same_values(memo, known, row):
            return known
        slot = (slot + 1) & slots
    if memo.states == MAX_STATES:
        memo.full = 1
        return OWN_ARRAYS
    memo.quiet[memo.states], memo.after_refresh[memo.states] = quiet, now.after_refresh
    memo.states += 1
    memo.state_table[slot] = memo.states
    return memo.states - 1


@inlined_kernel
def same_values(memo, known, row):  # type: ignore[no-untyped-def]
    """True if state ``known`` has the values of ``row``."""
    k, width = 0, 2 * memo.deadlines + memo.entries
    while k < width and memo.state_values[known, k] == row[k]:
        k += 1
    return k == width


@inner_kernel
def load_state(memo, state, now):  # type: ignore[no-untyped-def]
    """Mutates a channel: with its last issue at ``now.last`` it is in a known state, all banks closed."""
    last = now.last
    for k in range(memo.deadlines):
        command, node = memo.deadline[k].command, memo.deadline[k].node
        ahead = memo.state_values[state, k]
        now.deadline[command, node, 0] = last + ahead if ahead > 1 else NEVER
        now.deadline[command, node, 1] = memo.state_values[state, memo.deadlines + k]
    for k in range(memo.entries):
        entry = memo.entry[k]
        past = memo.state_values[state, 2 * memo.deadlines + k]
        now.history[entry.history, entry.node, entry.ago] = last + past if past > -entry.gap else NEVER
    now.after_refresh, now.open_mask, now.open_all = memo.after_refresh[state], 0, 0


@inlined_kernel
def unload(memo, now):  # type: ignore[no-untyped-def]
    """Mutates a channel: write a state that is known by number into the channel's own arrays."""
    if now.state != OWN_ARRAYS:
        load_state(memo, now.state, now)
        now.state = OWN_ARRAYS


@inner_kernel
def clear_state(rules, now):  # type: ignore[no-untyped-def]
    """Mutates a channel: nothing has been issued that any rule still looks at."""
    for command in range(rules.kinds):
        for node in range(1 + rules.groups + rules.banks):
            now.deadline[command, node, 0], now.deadline[command, node, 1] = NEVER, -1
    for row in range(now.history.shape[0]):
        for node in range(1 + rules.groups + rules.banks):
            for ago in range(now.history.shape[2]):
                now.history[row, node, ago] = NEVER
    now.after_refresh, now.open_mask, now.open_all = 0, 0, 0
