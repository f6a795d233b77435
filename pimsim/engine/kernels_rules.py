"""Compiled core: when may a command issue in one channel, and what does its issue forbid afterwards.

``deadline[command, node]`` is the earliest cycle at which past commands let ``command`` issue at a node, and the command
that set it; ``history[row, node, k]`` the k-th last issue of a command with a windowed rule.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimsim.engine.kernels_cache import inner_kernel, kernel
from pimsim.engine.rule_arrays import (
    AFTER_FOLLOWING,
    AFTER_GAP,
    AFTER_SCOPE,
    FIRST_AFTER,
    FIRST_WINDOW,
    HISTORY,
    NEVER,
    WINDOW_GAP,
    WINDOW_HISTORY,
    WINDOW_LENGTH,
    WINDOW_PRECEDING,
    WINDOW_SCOPE,
    IntArray,
    RuleArrays,
)

CYCLE, BINDER = 0, 1  # last axis of ``deadline``


class ChannelRules(NamedTuple):
    """Timing state of one channel (mutable arrays)."""

    deadline: IntArray
    history: IntArray


def fresh_channel(rules: RuleArrays) -> ChannelRules:
    """State of a channel in which nothing has been issued."""
    nodes = 1 + rules.groups + rules.banks
    deadline = np.full((len(rules.commands) - 1, nodes, 2), -1, np.int64)
    deadline[:, :, CYCLE] = NEVER
    return ChannelRules(deadline, np.full((rules.histories, nodes, rules.depth), NEVER, np.int64))


@inner_kernel
def earliest(rules, state, command, group, bank):  # type: ignore[no-untyped-def]
    """(earliest cycle, binding preceding command or -1) of ``command`` at ``group`` and ``bank`` (-1: not addressed).

    Of several commands that bind equally, the one with the smallest code is named.
    """
    best = state.deadline[command, 0, 0]
    bound = state.deadline[command, 0, 1]
    if group >= 0:
        time = state.deadline[command, 1 + group, 0]
        if time > best or (time == best and state.deadline[command, 1 + group, 1] < bound):
            best = time
            bound = state.deadline[command, 1 + group, 1]
    if bank >= 0:
        node = 1 + rules.groups + bank
        time = state.deadline[command, node, 0]
        if time > best or (time == best and state.deadline[command, node, 1] < bound):
            best = time
            bound = state.deadline[command, node, 1]
    for k in range(rules.commands[command, FIRST_WINDOW], rules.commands[command + 1, FIRST_WINDOW]):
        scope = rules.windows[k, WINDOW_SCOPE]
        node = 0 if scope == 0 else (1 + group if scope == 1 else 1 + rules.groups + bank)
        time = (
            state.history[rules.windows[k, WINDOW_HISTORY], node, rules.windows[k, WINDOW_LENGTH] - 1]
            + rules.windows[k, WINDOW_GAP]
        )
        if time > best or (time == best and rules.windows[k, WINDOW_PRECEDING] < bound):
            best = time
            bound = rules.windows[k, WINDOW_PRECEDING]
    return best, bound


@inner_kernel
def issue(rules, state, command, group, bank, cycle):  # type: ignore[no-untyped-def]
    """Mutates ``state``: ``command`` issues at ``cycle``."""
    deadline = state.deadline
    for k in range(rules.commands[command, FIRST_AFTER], rules.commands[command + 1, FIRST_AFTER]):
        scope = rules.after[k, AFTER_SCOPE]
        node = 0 if scope == 0 else (1 + group if scope == 1 else 1 + rules.groups + bank)
        time = cycle + rules.after[k, AFTER_GAP]
        following = rules.after[k, AFTER_FOLLOWING]
        if time > deadline[following, node, 0] or (
            time == deadline[following, node, 0] and command < deadline[following, node, 1]
        ):
            deadline[following, node, 0] = time
            deadline[following, node, 1] = command
    row = rules.commands[command, HISTORY]
    if row >= 0:
        push(state.history, row, 0, cycle)
        if group >= 0:
            push(state.history, row, 1 + group, cycle)
        if bank >= 0:
            push(state.history, row, 1 + rules.groups + bank, cycle)


@inner_kernel
def push(history, row, node, cycle):  # type: ignore[no-untyped-def]
    """Mutates ``history``: ``cycle`` becomes the last issue."""
    for k in range(history.shape[2] - 1, 0, -1):
        history[row, node, k] = history[row, node, k - 1]
    history[row, node, 0] = cycle


@kernel
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
