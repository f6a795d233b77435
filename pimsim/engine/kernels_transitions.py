"""Compiled core: what a phrase, or a refresh alone, does to a state: simulated once, looked up ever after.

The key of a transition packs state, phrase and the bank to be refreshed into one word; into the other, relative to the last issue,
when the inputs are there and when the next refresh is due and urgent, where those matter.
"""

from __future__ import annotations

from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel
from pimsim.engine.kernels_channel import do_refresh, refresh_due, refresh_urgent, run_burst
from pimsim.engine.kernels_states import load_state, mixed, state_number
from pimsim.engine.memo import MAX_TRANSITIONS, NO_DATA
from pimsim.engine.state import OWN_ARRAYS, REFRESH_PER_BANK, WAITING

NO_PHRASE = (1 << 24) - 1  # a refresh alone
LARGEST = 1 << 19  # times below it, and above its negative, fit a key
FAR = LARGEST  # an urgent time that lies behind the phrase
NOT_KEPT = 0  # transition that holds a result which no key stands for
UNKNOWN = -1


@inlined_kernel
def low_word(state, phrase, bank):  # type: ignore[no-untyped-def]
    """First word of a key; ``bank`` is -1 where none is refreshed or all are."""
    return state | (phrase << 24) | ((bank + 1) << 50)


@inlined_kernel
def high_word(inputs, due, urgent):  # type: ignore[no-untyped-def]
    """Second word of a key, of three times (``urgent`` may be negative)."""
    return inputs | (due << 20) | ((urgent & ((1 << 20) - 1)) << 40)


@inner_kernel
def find(memo, low, high):  # type: ignore[no-untyped-def]
    """Number of the transition of a key, or UNKNOWN."""
    slots = memo.transition_table.shape[0] - 1
    slot = mixed(low, high) & slots
    while memo.transition_table[slot] != 0:
        t = memo.transition_table[slot] - 1
        if memo.transition[t].low == low and memo.transition[t].high == high:
            return t
        slot = (slot + 1) & slots
    return UNKNOWN


@inlined_kernel
def add(memo, low, high):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: a number for a new key; UNKNOWN if there is no room."""
    if memo.transitions == MAX_TRANSITIONS:
        memo.full = 1
        return UNKNOWN
    memo.transitions += 1
    t = memo.transitions
    memo.transition[t].low, memo.transition[t].high = low, high
    slots = memo.transition_table.shape[0] - 1
    slot = mixed(low, high) & slots
    while memo.transition_table[slot] != 0:
        slot = (slot + 1) & slots
    memo.transition_table[slot] = t + 1
    return t


@inner_kernel
def put_on_bench(engine, state, last, refreshes):  # type: ignore[no-untyped-def]
    """Mutates the bench: a channel in ``state`` whose last issue was at ``last``, with nothing booked."""
    now = engine.bench
    now.last, now.refreshes, now.done, now.open_cycles = last, refreshes, NO_DATA, 0
    for k in range(WAITING + 1):
        now.causes[k] = 0
    for k in range(engine.rules.kinds):
        now.extra[k] = 0
    load_state(engine.memo, state, now)


@inner_kernel
def simulate(engine, control, phrase, inputs):  # type: ignore[no-untyped-def]
    """Mutates the bench: run a phrase on it, nothing before cycle ``inputs``; returns the issue of its first burst."""
    memo, now = engine.memo, engine.bench
    begin, end = memo.phrase_start[phrase], memo.phrase_start[phrase + 1]
    run_burst(engine.rules, control, now, engine.silent, memo.burst[begin], inputs, WAITING)
    first = now.last
    memo.simulated += end - begin
    for k in range(begin + 1, end):
        run_burst(engine.rules, control, now, engine.silent, memo.burst[k], inputs, WAITING)
    return first


@inner_kernel
def keep(engine, t, last, refreshes, first):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: transition ``t`` is what the bench did since ``last``; returns it, or UNKNOWN if there is no room."""
    now, memo = engine.bench, engine.memo
    if t == UNKNOWN:
        return UNKNOWN
    new = memo.transition[t]
    new.state = state_number(memo, now)
    new.first, new.advance, new.open_cycles = first - last, now.last - last, now.open_cycles
    new.done = now.done - last if now.done > NO_DATA else NO_DATA
    new.refreshes = now.refreshes - refreshes
    for k in range(WAITING + 1):
        new.causes[k] = now.causes[k]
    for k in range(engine.rules.kinds):
        new.extra[k] = now.extra[k]
    return t if new.state != OWN_ARRAYS else UNKNOWN


@inner_kernel
def undisturbed(engine, state, phrase, inputs):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the transition of a phrase that no refresh disturbs, its inputs there ``inputs`` after the last issue."""
    low, high = low_word(state, phrase, -1), high_word(inputs, 0, 0)
    t = find(engine.memo, low, high)
    if t == UNKNOWN:
        put_on_bench(engine, state, 0, 0)
        first = simulate(engine, engine.calm, phrase, inputs)
        t = keep(engine, add(engine.memo, low, high), 0, 0, first)
    elif engine.memo.transition[t].state == OWN_ARRAYS:
        return UNKNOWN
    return t


@inlined_kernel
def next_refresh(engine, refreshes):  # type: ignore[no-untyped-def]
    """Cycle from which on the refresh after ``refreshes`` others can go before a command, and that at which it is urgent."""
    urgent = refresh_urgent(engine.rules, engine.control, refreshes)
    return min(refresh_due(engine.rules, engine.control, refreshes), urgent), urgent


@inlined_kernel
def holds(engine, t, last, refreshes, urgent):  # type: ignore[no-untyped-def]
    """True if a transition found without regard to what is urgent, or comes after, holds: none of that falls into it."""
    known = engine.memo.transition[t]
    if known.state == OWN_ARRAYS:
        return False
    if known.refreshes == 0:
        return urgent > last + known.advance
    return urgent > last + known.advance and next_refresh(engine, refreshes + 1)[0] > last + known.advance


@inlined_kernel
def disturbed(engine, state, phrase, last, refreshes, inputs):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the transition of a phrase with refreshes in it; ``inputs`` is the cycle from which on it may issue."""
    memo, control = engine.memo, engine.control
    due, urgent = refresh_due(engine.rules, control, refreshes), refresh_urgent(engine.rules, control, refreshes)
    bank = refreshes % engine.rules.banks if control.refresh_mode == REFRESH_PER_BANK else -1
    low, ahead, gap = low_word(state, phrase, bank), max(1, due - last), max(1, inputs - last)
    fits = ahead < LARGEST and gap < LARGEST
    near = fits and -LARGEST < urgent - last < LARGEST
    if fits:
        t = find(memo, low, high_word(gap, ahead, FAR))
        if t != UNKNOWN and holds(engine, t, last, refreshes, urgent):
            return t
    if near:
        t = find(memo, low, high_word(gap, ahead, urgent - last))
        if t != UNKNOWN and holds(engine, t, last, refreshes, 1 << 60):
            return t
    put_on_bench(engine, state, last, refreshes)
    first = simulate(engine, control, phrase, inputs)
    now = engine.bench
    t = NOT_KEPT
    if now.refreshes - refreshes <= 1 and (now.refreshes == refreshes or next_refresh(engine, now.refreshes)[0] > now.last):
        if fits and urgent > now.last:
            t = fresh_key(memo, low, high_word(gap, ahead, FAR))
        elif near:
            t = fresh_key(memo, low, high_word(gap, ahead, urgent - last))
    return keep(engine, t, last, refreshes, first)


@inlined_kernel
def fresh_key(memo, low, high):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: a number for a key that may be known already; NOT_KEPT then, or if there is no room."""
    if find(memo, low, high) != UNKNOWN:
        return NOT_KEPT
    t = add(memo, low, high)
    return NOT_KEPT if t == UNKNOWN else t


@inner_kernel
def refresh_alone(engine, state, last, refreshes):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the transition of a refresh between blocks, and the cycles that it comes later than in it.

    From the cycle on from which the state holds nothing back, a refresh that is due later comes that much later and is alike.
    """
    control, memo = engine.control, engine.memo
    due = refresh_due(engine.rules, control, refreshes)
    bank = refreshes % engine.rules.banks if control.refresh_mode == REFRESH_PER_BANK else -1
    ahead = max(1, min(due - last, memo.quiet[state]))
    low, high = low_word(state, NO_PHRASE, bank), high_word(0, ahead, FAR)
    t = find(memo, low, high)
    if t == UNKNOWN:
        put_on_bench(engine, state, due - ahead, refreshes)
        now = engine.bench
        do_refresh(engine.rules, control, now, engine.silent, 0, WAITING)
        t = keep(engine, add(memo, low, high), due - ahead, refreshes, now.last)
    elif memo.transition[t].state == OWN_ARRAYS:
        return UNKNOWN, 0
    return t, max(0, due - last - ahead)
