"""Compiled core: blocks cut into phrases, of which equal ones have one number."""

from __future__ import annotations

from pimsim.engine.kernels_cache import inner_kernel, kernel
from pimsim.engine.kernels_channel import apply_row, every_bank
from pimsim.engine.kernels_states import clear_state, mixed, state_number, unload
from pimsim.engine.memo import MAX_BLOCKS, MAX_BURSTS, MAX_PHRASES, MAX_PLACES
from pimsim.engine.state import REFRESH_PER_BANK


@inner_kernel
def same_burst(one, other):  # type: ignore[no-untyped-def]
    """True if two bursts are alike."""
    return (
        one.command == other.command
        and one.group == other.group
        and one.bank == other.bank
        and one.count == other.count
        and one.cause == other.cause
    )


@inner_kernel
def phrase_number(memo, begin, end, solid):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the number of the phrase that has just been written behind all others, as bursts ``begin`` to ``end``."""
    code = 0
    for k in range(begin, end):
        burst = memo.burst[k]
        code = mixed(code, burst.command + 64 * (burst.group + 1) + 8192 * (burst.bank + 1) + (burst.count << 20))
        code = mixed(code, burst.cause)
    slots = memo.phrase_table.shape[0] - 1
    slot = code & slots
    while memo.phrase_table[slot] != 0:
        known = memo.phrase_table[slot] - 1
        first = memo.phrase_start[known]
        if memo.phrase_start[known + 1] - first == end - begin:
            k = 0
            while k < end - begin and same_burst(memo.burst[first + k], memo.burst[begin + k]):
                k += 1
            if k == end - begin:
                return known
        slot = (slot + 1) & slots
    memo.phrase_table[slot] = memo.phrases + 1
    memo.solid[memo.phrases] = solid
    memo.phrases += 1
    memo.phrase_start[memo.phrases] = end
    memo.bursts = end
    return memo.phrases - 1


@inner_kernel
def block_number(memo, begin, end):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: the number of the block whose phrases have just been written into places ``begin`` to ``end``."""
    code = 0
    for k in range(begin, end):
        code = mixed(code, memo.place[k].phrase)
    slots = memo.block_table.shape[0] - 1
    slot = code & slots
    while memo.block_table[slot] != 0:
        known = memo.block_table[slot] - 1
        first = memo.block_start[known]
        if memo.block_start[known + 1] - first == end - begin + 1:
            k = 0
            while k < end - begin and memo.place[first + k].phrase == memo.place[begin + k].phrase:
                k += 1
            if k == end - begin:
                return known
        slot = (slot + 1) & slots
    memo.block_table[slot] = memo.blocks + 1
    memo.blocks += 1
    memo.block_start[memo.blocks] = end + 1
    memo.places = end + 1
    return memo.blocks - 1


@inner_kernel
def cut(engine, bursts, begin, end):  # type: ignore[no-untyped-def]
    """Mutates ``memo``: write the phrases of a block into the places behind all others; returns the place at its end."""
    memo, now, everyone = engine.memo, engine.bench, every_bank(engine.rules)
    place, written = memo.places, memo.bursts
    now.open_mask = 0
    solid = 1
    for k in range(begin, end):
        target = memo.burst[written]
        target.command, target.group, target.bank = bursts[k, 0], bursts[k, 1], bursts[k, 2]
        target.count, target.cause = bursts[k, 3], bursts[k, 4]
        if written > memo.bursts and engine.control.refresh_mode == REFRESH_PER_BANK and now.open_mask != everyone:
            solid = 0
        written += 1
        was_closed = now.open_mask == 0
        apply_row(engine.rules, now, target.command, target.group, target.bank)
        if target.count > 1 and (was_closed or now.open_mask == 0):
            solid = 0
        if now.open_mask == 0:
            memo.place[place].phrase = phrase_number(memo, memo.bursts, written, solid)
            place, written, solid = place + 1, memo.bursts, 1
    memo.place[place].phrase = -1
    return place


@inner_kernel
def begin(engine):  # type: ignore[no-untyped-def]
    """Mutates ``memo``, empty so far: the fresh state gets its number, the first."""
    clear_state(engine.rules, engine.bench)
    engine.bench.last = -1
    state_number(engine.memo, engine.bench)


@kernel
def add_blocks(core, bursts, start, number):  # type: ignore[no-untyped-def]
    """Mutates ``memo`` and ``number``: the number of each block ``bursts[start[b]:start[b + 1]]``; False if there is no room for all."""
    engine = core[0]
    memo = engine.memo
    if memo.states == 0:
        begin(engine)
    for b in range(number.shape[0]):
        size = start[b + 1] - start[b]
        if (
            memo.bursts + size >= MAX_BURSTS
            or memo.places + size >= MAX_PLACES
            or memo.phrases + size >= MAX_PHRASES
            or memo.blocks + 1 >= MAX_BLOCKS
        ):
            return False
        first = memo.places
        end = cut(engine, bursts, start[b], start[b + 1])
        number[b] = block_number(memo, first, end)
    return True


@kernel
def forget(core, channels):  # type: ignore[no-untyped-def]
    """Mutates all state: nothing is known any more; channels keep their states, and those their own numbers."""
    engine = core[0]
    memo = engine.memo
    for c in range(channels.shape[0]):
        unload(memo, channels[c])
    memo.states = memo.phrases = memo.bursts = memo.transitions = memo.blocks = memo.followed = memo.places = memo.full = 0
    memo.state_table[:] = 0  # not in a loop: the tables have lengths, and so types, of their own
    memo.phrase_table[:] = 0
    memo.transition_table[:] = 0
    memo.block_table[:] = 0
    begin(engine)
    for c in range(channels.shape[0]):
        if engine.control.skip == 1:
            channels[c].state = state_number(memo, channels[c])
