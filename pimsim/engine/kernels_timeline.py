"""Compiled core: one channel runs one block.

Where a channel is in the state that the block's record has at the same place, all up to the next refresh equals the record, shifted;
a phrase with a refresh in it, and the few after it until the record is met again, are looked up. What has no number is simulated burst
by burst.
"""

from __future__ import annotations

from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel
from pimsim.engine.kernels_channel import do_refresh, refresh_limit, run_burst
from pimsim.engine.kernels_states import state_number, unload
from pimsim.engine.kernels_transitions import UNKNOWN, disturbed, next_refresh, refresh_alone, undisturbed
from pimsim.engine.memo import NO_DATA
from pimsim.engine.state import CAUSE_REFRESH, FRESH, OWN_ARRAYS, WAITING


@inner_kernel
def refresh_until(engine, now, log, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates a channel between two blocks: refreshes that go before a command at ``cycle``, before which slots are ``wait_cause``'s."""
    while refresh_limit(engine.rules, engine.control, now) <= cycle:
        t, later = UNKNOWN, 0
        if now.state != OWN_ARRAYS:
            t, later = refresh_alone(engine, now.state, now.last, now.refreshes)
        if t == UNKNOWN:
            unload(engine.memo, now)
            do_refresh(engine.rules, engine.control, now, log, cycle, wait_cause)
            continue
        advance = engine.memo.transition[t].advance + later
        wait = min(advance - 1, max(0, cycle - now.last - 1))
        now.causes[wait_cause] += wait
        now.causes[CAUSE_REFRESH] += advance - wait
        now.extra[engine.control.refresh_code] += 1
        now.refreshes += 1
        now.last += advance
        now.state = engine.memo.transition[t].state


@inlined_kernel
def wait_for_inputs(engine, now, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates a channel: if nothing but its inputs holds it back, it waits for ``cycle`` and is as if it were fresh."""
    if now.state != OWN_ARRAYS and engine.memo.quiet[now.state] <= cycle - now.last:
        now.causes[wait_cause] += cycle - now.last - 1
        now.last = cycle - 1
        now.state = FRESH


@inlined_kernel
def apply(engine, now, t, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates a channel: what transition ``t`` does to it."""
    step = engine.memo.transition[t]
    for k in range(WAITING):
        now.causes[k] += step.causes[k]
    now.causes[wait_cause] += step.causes[WAITING]
    now.open_cycles += step.open_cycles
    if step.done > NO_DATA:
        now.done = max(now.done, now.last + step.done)
    if step.refreshes > 0:
        now.refreshes += step.refreshes
        for k in range(engine.rules.kinds):
            now.extra[k] += step.extra[k]
    now.last += step.advance
    now.state = step.state


@inlined_kernel
def first_disturbed(memo, place, end, shift, limit, urgent):  # type: ignore[no-untyped-def]
    """Place from ``place`` on before whose phrase, or in it, a refresh comes; ``end`` if none comes before it.

    A refresh goes before a command from cycle ``limit`` on if banks are closed, from ``urgent`` on in any case.
    """
    if memo.place[end].last + shift < limit:
        return end
    low, high = place, end
    while high - low > 1:
        middle = (low + high) // 2
        if memo.place[middle].last + shift < limit:
            low = middle
        else:
            high = middle
    here = memo.place[low]
    if memo.solid[here.phrase] == 1 and here.first + shift < limit and memo.place[high].last + shift < urgent:
        return high
    return low


@inner_kernel
def data_between(memo, place, end):  # type: ignore[no-untyped-def]
    """End of the last data of the phrases from ``place`` to ``end``, NO_DATA if there are none."""
    latest = memo.place[end].done_so_far
    if latest > memo.place[place].done_so_far:
        return latest
    latest = NO_DATA
    for k in range(place, end):
        latest = max(latest, memo.place[k].done)
    return latest


@inlined_kernel
def jump(memo, now, place, end, shift):  # type: ignore[no-untyped-def]
    """Mutates a channel: all that the record has from ``place`` to ``end``, shifted."""
    here, there = memo.place[place], memo.place[end]
    for k in range(WAITING):
        now.causes[k] += there.causes[k] - here.causes[k]
    now.open_cycles += there.open_cycles - here.open_cycles
    latest = data_between(memo, place, end)
    if latest > NO_DATA:
        now.done = max(now.done, latest + shift)
    now.last = there.last + shift
    now.state = there.state


@inlined_kernel
def next_transition(engine, now, phrase, cycle, certain):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the transition of the channel's next phrase; ``certain``: it is known that a refresh disturbs it."""
    limit, urgent = next_refresh(engine, now.refreshes)
    memo = engine.memo
    if not certain:
        t = undisturbed(engine, now.state, phrase, max(1, cycle - now.last))
        if t == UNKNOWN:
            return UNKNOWN
        step = memo.transition[t]
        end = now.last + step.advance
        if end < limit or (memo.solid[phrase] == 1 and now.last + step.first < limit and end < urgent):
            return t
    return disturbed(engine, now.state, phrase, now.last, now.refreshes, cycle)


@inlined_kernel
def run_known(engine, now, place, end, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates a channel in a known state: run the phrases from ``place`` on; returns the place reached, ``end`` unless room ran out."""
    memo = engine.memo
    while place < end:
        here = memo.place[place]
        certain = False
        if now.state == here.state and now.last + 1 >= cycle:
            shift = now.last - here.last
            limit, urgent = next_refresh(engine, now.refreshes)
            reached = first_disturbed(memo, place, end, shift, limit, urgent)
            if reached > place:
                jump(memo, now, place, reached, shift)
                place = reached
                if place == end:
                    return end
            certain = True
        t = next_transition(engine, now, memo.place[place].phrase, cycle, certain)
        if t == UNKNOWN:
            return place
        apply(engine, now, t, wait_cause)
        place += 1
    return end


@inlined_kernel
def run_plainly(engine, now, log, place, end, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates a channel that is in its own arrays: run the phrases from ``place`` on burst by burst."""
    memo = engine.memo
    for k in range(place, end):
        phrase = memo.place[k].phrase
        for burst in range(memo.phrase_start[phrase], memo.phrase_start[phrase + 1]):
            run_burst(engine.rules, engine.control, now, log, memo.burst[burst], cycle, wait_cause)
            now.simulated += 1


@inlined_kernel
def run_block(engine, now, log, block, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates one channel: issue all of ``block``, nothing before ``cycle``, before which it waits for its inputs.

    ``now.done`` becomes the cycle at which the block's last data have arrived.
    """
    now.done = cycle
    place, end = engine.memo.block_start[block], engine.memo.block_start[block + 1] - 1
    if engine.control.skip == 1 and now.state != OWN_ARRAYS:
        place = run_known(engine, now, place, end, cycle, wait_cause)
    if place < end:
        unload(engine.memo, now)
        run_plainly(engine, now, log, place, end, cycle, wait_cause)
        if engine.control.skip == 1:
            now.state = state_number(engine.memo, now)


@inner_kernel
def follow(engine, begin, end):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: what happens from place ``begin`` to ``end`` on a fresh channel, first command at cycle 0; False if room runs out."""
    memo = engine.memo
    here = memo.place[begin]
    here.state, here.last, here.done_so_far, here.open_cycles = FRESH, -1, NO_DATA, 0
    for k in range(WAITING):
        here.causes[k] = 0
    for place in range(begin, end):
        here, after = memo.place[place], memo.place[place + 1]
        t = undisturbed(engine, here.state, here.phrase, 1)
        if t == UNKNOWN:
            here.state = OWN_ARRAYS
            return False
        step = memo.transition[t]
        here.first = here.last + step.first
        here.done = here.last + step.done if step.done > NO_DATA else NO_DATA
        after.state, after.last = step.state, here.last + step.advance
        after.done_so_far = max(here.done_so_far, here.done)
        after.open_cycles = here.open_cycles + step.open_cycles
        for k in range(WAITING):
            after.causes[k] = here.causes[k] + step.causes[k]
    return True


@inner_kernel
def follow_new(engine):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: follow all blocks that have not been followed; where room runs out, no state equals theirs."""
    memo = engine.memo
    while memo.followed < memo.blocks:
        begin, end = memo.block_start[memo.followed], memo.block_start[memo.followed + 1] - 1
        if not follow(engine, begin, end):
            for place in range(begin, end + 1):
                memo.place[place].state = OWN_ARRAYS
        memo.followed += 1
