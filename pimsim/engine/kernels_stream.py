"""Compiled core of scheduling: the earliest tick of each command of a stream, on every level and bus that a standard has.

Each command comes with its *places*: the node (channel, rank, bank ...) that it addresses at each level, -1 where it addresses
more. ``deadline[command, node]`` is the earliest tick that past commands leave to ``command`` there, ``history[row, node, k]``
the k-th last issue of a command that a windowed rule follows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.engine.kernels_cache import inner_kernel, kernel

IntArray = NDArray[np.int64]
NEVER = -(1 << 60)

# Columns of ``StreamRules.commands``; KEEPS is negative for commands that the data clock does not concern.
BUS, HELD, STARTER, IS_STARTER, KEEPS, HISTORY, FIRST_AFTER, FIRST_WINDOW, FIRST_LATEST = range(9)
# Columns of ``after``, ``windows`` and ``latest``.
OTHER, LEVEL, GAP, SIBLING = range(4)
WINDOW, WINDOW_ROW = 3, 4
# Why a command can issue at no tick, beside the rules.
STOPPED_CLOCK, TOO_LATE, ALONE = range(3)


class StreamRules(NamedTuple):
    """Rules in ticks, as int64 tables.

    ``commands``: a row for each command and one more; rows c and c + 1 bracket the rows of ``after`` (rules whose preceding
    command is c), ``windows`` and ``latest`` (rules whose following command is c). ``siblings[level]``: units of a level
    under one parent. ``first[level]``: first node of a level, in the last place their number. ``ck``: ticks of a CK;
    ``clock_level``: where data clocks are; ``buses``, ``histories``, ``depth``: sizes of the state.
    """

    commands: IntArray
    after: IntArray
    windows: IntArray
    latest: IntArray
    first: IntArray
    siblings: IntArray
    ck: int
    clock_level: int
    buses: int
    histories: int
    depth: int


class StreamState(NamedTuple):
    """Timing state of one channel (mutable arrays): also when each bus is free, each data clock stops, and the last issue."""

    deadline: IntArray
    history: IntArray
    issued: IntArray
    bus_free: IntArray
    clock_until: IntArray
    last: IntArray


def fresh_stream(rules: StreamRules) -> StreamState:
    """A channel in which nothing has been issued."""
    commands, nodes = len(rules.commands) - 1, int(rules.first[-1])
    return StreamState(
        deadline=np.full((commands, nodes), NEVER, np.int64),
        history=np.full((rules.histories, nodes, rules.depth), NEVER, np.int64),
        issued=np.full((commands, nodes if len(rules.latest) else 1), NEVER, np.int64),
        bus_free=np.zeros(rules.buses, np.int64),
        clock_until=np.full(nodes, NEVER, np.int64),
        last=np.zeros(1, np.int64),
    )


@inner_kernel
def ready(rules, state, command, places):  # type: ignore[no-untyped-def]
    """First tick that order, bus and timing rules leave to ``command`` at ``places``."""
    time = max(state.last[0], state.bus_free[rules.commands[command, BUS]])
    for level in range(places.shape[0]):
        if places[level] >= 0:
            time = max(time, state.deadline[command, places[level]])
    for k in range(rules.commands[command, FIRST_WINDOW], rules.commands[command + 1, FIRST_WINDOW]):
        rule = rules.windows[k]
        past = state.history[rule[WINDOW_ROW], places[rule[LEVEL]], rule[WINDOW] - 1]
        time = max(time, past + rule[GAP])
    return time


@inner_kernel
def issue(rules, state, command, places, tick):  # type: ignore[no-untyped-def]
    """Mutates ``state``: ``command`` issues at ``tick``."""
    state.last[0] = tick
    state.bus_free[rules.commands[command, BUS]] = tick + rules.commands[command, HELD]
    for k in range(rules.commands[command, FIRST_AFTER], rules.commands[command + 1, FIRST_AFTER]):
        rule = rules.after[k]
        node, time = places[rule[LEVEL]], tick + rule[GAP]
        if rule[SIBLING] == 0:
            state.deadline[rule[OTHER], node] = max(state.deadline[rule[OTHER], node], time)
            continue
        width, base = rules.siblings[rule[LEVEL]], rules.first[rule[LEVEL]]
        oldest = base + (node - base) // width * width
        for other in range(oldest, oldest + width):
            if other != node:
                state.deadline[rule[OTHER], other] = max(state.deadline[rule[OTHER], other], time)
    row = rules.commands[command, HISTORY]
    for level in range(places.shape[0]):
        node = places[level]
        if node >= 0 and row >= 0:
            for k in range(state.history.shape[2] - 1, 0, -1):
                state.history[row, node, k] = state.history[row, node, k - 1]
            state.history[row, node, 0] = tick
        if node >= 0 and state.issued.shape[1] > 1:
            state.issued[command, node] = tick
    if rules.commands[command, KEEPS] >= 0:
        node = places[rules.clock_level]
        state.clock_until[node] = max(state.clock_until[node], tick + rules.commands[command, KEEPS])


@inner_kernel
def too_late(rules, state, command, places, tick):  # type: ignore[no-untyped-def]
    """Whether ``tick`` is after what a rule of latest times allows."""
    for k in range(rules.commands[command, FIRST_LATEST], rules.commands[command + 1, FIRST_LATEST]):
        rule = rules.latest[k]
        past = state.issued[rule[OTHER], places[rule[LEVEL]]]
        if past != NEVER and tick > past + rule[GAP]:
            return True
    return False


@kernel
def schedule_stream(rules, state, command, places, clock):  # type: ignore[no-untyped-def]
    """Mutates ``state`` and ``clock``: the earliest tick of each command, in order. (-1, 0), or the index of the first command
    that can issue at no tick, and why.

    A command that starts a data clock goes out in the CK before the column command behind it, so it waits for that one.
    """
    for i in range(command.shape[0]):
        code, at = command[i], places[i]
        tick = ready(rules, state, code, at)
        if rules.commands[code, IS_STARTER] == 1:
            if i + 1 == command.shape[0] or rules.commands[command[i + 1], STARTER] != code:
                return i, ALONE
            if places[i + 1, rules.clock_level] != at[rules.clock_level]:
                return i, ALONE
            tick = max(tick, ready(rules, state, command[i + 1], places[i + 1]) - rules.ck)
        starter = rules.commands[code, STARTER]
        started = i > 0 and command[i - 1] == starter and clock[i - 1] + rules.ck == tick
        if starter >= 0 and not started and tick >= state.clock_until[at[rules.clock_level]]:
            return i, STOPPED_CLOCK
        if too_late(rules, state, code, at, tick):
            return i, TOO_LATE
        clock[i] = tick
        issue(rules, state, code, at, tick)
    return -1, 0
