"""Compiled core: when may a command issue in one channel, and what does its issue forbid afterwards.

``ready[command, node]`` is the earliest cycle at which past commands let ``command`` issue at a node, ``binder`` the
command that set it, ``history[row, node, k]`` the k-th last issue of a command with a windowed rule.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pimsim.engine.rule_arrays import NEVER, IntArray, RuleArrays


class ChannelRules(NamedTuple):
    """Timing state of one channel (mutable arrays)."""

    ready: IntArray
    binder: IntArray
    history: IntArray


def fresh_channel(rules: RuleArrays) -> ChannelRules:
    """State of a channel in which nothing has been issued."""
    nodes, commands, rows, depth = (int(rules.shape[i]) for i in (3, 4, 5, 6))
    return ChannelRules(
        np.full((commands, nodes), NEVER, np.int64),
        np.full((commands, nodes), -1, np.int64),
        np.full((rows, nodes, depth), NEVER, np.int64),
    )


@njit(cache=True)
def earliest(rules, state, command, group, bank):  # type: ignore[no-untyped-def]
    """(earliest cycle, binding preceding command or -1) of ``command`` at ``group`` and ``bank`` (-1: not addressed)."""
    groups = rules.shape[0]
    best = state.ready[command, 0]
    bound = state.binder[command, 0]
    for scope in range(1, 3):
        node = -1
        if scope == 1 and group >= 0:
            node = 1 + group
        elif scope == 2 and bank >= 0:
            node = 1 + groups + bank
        if node >= 0:
            time = state.ready[command, node]
            if time > best or (time == best and 0 <= state.binder[command, node] < bound):
                best = time
                bound = state.binder[command, node]
    for k in range(rules.w_following.shape[0]):
        if rules.w_following[k] != command:
            continue
        scope = rules.w_scope[k]
        node = 0 if scope == 0 else (1 + group if scope == 1 else 1 + groups + bank)
        past = state.history[rules.w_history[k], node, rules.w_window[k] - 1]
        time = past + rules.w_gap[k]
        if past > NEVER and (time > best or (time == best and rules.w_preceding[k] < bound)):
            best = time
            bound = rules.w_preceding[k]
    return best, bound


@njit(cache=True)
def issue(rules, state, command, group, bank, cycle):  # type: ignore[no-untyped-def]
    """Mutates ``state``: ``command`` issues at ``cycle``."""
    groups = rules.shape[0]
    for k in range(rules.first[command], rules.first[command + 1]):
        scope = rules.scope[k]
        node = 0 if scope == 0 else (1 + group if scope == 1 else 1 + groups + bank)
        time = cycle + rules.gap[k]
        following = rules.following[k]
        if time > state.ready[following, node]:
            state.ready[following, node] = time
            state.binder[following, node] = command
        elif time == state.ready[following, node] and command < state.binder[following, node]:
            state.binder[following, node] = command
    row = rules.history_of[command]
    if row >= 0:
        depth = rules.shape[6]
        _push(state.history, row, 0, depth, cycle)
        if group >= 0:
            _push(state.history, row, 1 + group, depth, cycle)
        if bank >= 0:
            _push(state.history, row, 1 + groups + bank, depth, cycle)


@njit(cache=True, inline="always")
def _push(history, row, node, depth, cycle):  # type: ignore[no-untyped-def]
    """Mutates ``history``: ``cycle`` becomes the last issue."""
    for k in range(depth - 1, 0, -1):
        history[row, node, k] = history[row, node, k - 1]
    history[row, node, 0] = cycle


@njit(cache=True)
def schedule(rules, state, command, group, bank, start):  # type: ignore[no-untyped-def]
    """Mutates ``state``. Earliest issue cycle of each command in order, one command a cycle, none before ``start``."""
    clock = np.empty(command.shape[0], np.int64)
    free = start
    for i in range(command.shape[0]):
        time, _ = earliest(rules, state, command[i], group[i], bank[i])
        clock[i] = max(time, free)
        issue(rules, state, command[i], group[i], bank[i], clock[i])
        free = clock[i] + 1
    return clock
