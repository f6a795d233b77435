"""Compiled core: who waits for whom. Runs the instructions of decoding steps over the channels and the ASIC.

Times between clock domains are integer picoseconds, rounded up to the receiver's next edge.
"""

from __future__ import annotations

import numpy as np

from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel, kernel
from pimsim.engine.kernels_states import unload
from pimsim.engine.kernels_timeline import follow_new, refresh_until, run_block, wait_for_inputs
from pimsim.engine.kernels_unowned import unowned
from pimsim.engine.state import OWN_ARRAYS, WAITING

START, END, PREDECESSOR, INSTRUCTION = range(4)  # columns of ``instances``


@inner_kernel
def copy(source, target):  # type: ignore[no-untyped-def]
    """Mutates ``target``: the values of an array of the same shape. Assigning a slice takes several times as long."""
    for k in range(source.size):
        target.flat[k] = source.flat[k]


@inlined_kernel
def same_start(one, other):  # type: ignore[no-untyped-def]
    """True if two channels are in the same known state."""
    return one.state != OWN_ARRAYS and one.state == other.state and one.last == other.last and one.refreshes == other.refreshes


@inner_kernel
def remember(kinds, source, target):  # type: ignore[no-untyped-def]
    """Mutates ``target``: where a channel stands and what it has counted, to tell later what it has done since."""
    target.last, target.state, target.refreshes, target.open_cycles = (
        source.last,
        source.state,
        source.refreshes,
        source.open_cycles,
    )
    for k in range(WAITING):
        target.causes[k] = source.causes[k]
    for k in range(kinds):
        target.extra[k] = source.extra[k]


@inner_kernel
def take_over(kinds, before, source, target):  # type: ignore[no-untyped-def]
    """Mutates channel ``target``: what ``source`` has done since it stood at ``before``, where ``target`` stands."""
    for k in range(WAITING):
        target.causes[k] += source.causes[k] - before.causes[k]
    target.open_cycles += source.open_cycles - before.open_cycles
    if source.refreshes != before.refreshes:
        for k in range(kinds):
            target.extra[k] += source.extra[k] - before.extra[k]
    target.last, target.state, target.refreshes, target.done = source.last, source.state, source.refreshes, source.done
    if source.state == OWN_ARRAYS:
        copy(source.deadline, target.deadline)
        copy(source.history, target.history)
        target.after_refresh, target.open_mask, target.open_all = source.after_refresh, source.open_mask, source.open_all


@inner_kernel
def unite(kinds, work):  # type: ignore[no-untyped-def]
    """Mutates ``work``: if all channels are in the same state, from now on channel 0 stands for all."""
    channels = work.channels
    for c in range(1, channels.shape[0]):
        if not same_start(channels[0], channels[c]):
            return
    work.clock[0].united = 1
    remember(kinds, channels[0], work.before[1])


@inner_kernel
def divide(kinds, work):  # type: ignore[no-untyped-def]
    """Mutates channels: give every channel what channel 0 did while it stood for all."""
    if work.clock[0].united == 1:
        work.clock[0].united = 0
        for c in range(1, work.channels.shape[0]):
            take_over(kinds, work.before[1], work.channels[0], work.channels[c])


@inner_kernel
def prepare(engine, now, log, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates a channel before a block whose inputs are there at ``cycle``: refreshes until then; if nothing else holds it back, it waits."""
    if engine.control.skip == 1:
        refresh_until(engine, now, log, cycle, wait_cause)
        wait_for_inputs(engine, now, cycle, wait_cause)


@inlined_kernel
def run_pim(engine, steps, work, number, own, ready_ps, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates channels: PIM instruction ``number`` of the step on each channel that has a block; returns its end in ps.

    A channel that starts exactly as the last simulated one did, with the same block, ends exactly as it and takes its
    state over; while all do, only channel 0 is kept up to date.
    """
    control, kinds, channels, log, clock = engine.control, engine.rules.kinds, work.channels, work.log, work.clock[0]
    cycle = -(-ready_ps // control.t_ck_ps)
    end, leader = ready_ps, -1
    if own.uniform == 0:
        divide(kinds, work)
    elif clock.united == 0 and control.skip == 1:
        for c in range(channels.shape[0]):
            prepare(engine, channels[c], log, cycle, wait_cause)
        unite(kinds, work)
    for c in range(1 if clock.united == 1 else channels.shape[0]):
        block = steps.blocks[own.row, c]
        if block < 0:
            continue
        now = channels[c]
        prepare(engine, now, log, cycle, wait_cause)
        twin = control.skip == 1 and leader >= 0 and block == steps.blocks[own.row, leader]
        if twin and same_start(work.before[0], now):
            take_over(kinds, work.before[0], channels[leader], now)
        else:
            leader = c
            remember(kinds, now, work.before[0])
            first_row = log[0, 0]
            run_block(engine, now, log, block, cycle, wait_cause)
            if log.shape[0] > 1:
                log[first_row + 1 : log[0, 0] + 1, 6] = number
                log[first_row + 1 : log[0, 0] + 1, 7] = c
        done = now.done
        if control.serial == 1:
            done = max(done, now.last + 1)
        end = max(end, done * control.t_ck_ps)
    return end


@inlined_kernel
def latest_need(needs, own, instances, base, section_input):  # type: ignore[no-untyped-def]
    """Instance that an instruction waits longest for, among its needs; -1 for the start of the step."""
    latest = -2
    for k in range(own.first_need, own.end_need):
        need = needs[k]
        candidate = section_input if need < 0 else base + need
        if latest == -2 or (candidate >= 0 and (latest < 0 or instances[candidate, END] > instances[latest, END])):
            latest = candidate
    return latest


@inlined_kernel
def run_section(engine, steps, work, begin, end, count, ends):  # type: ignore[no-untyped-def]
    """Mutates all state: one pass over instructions ``begin`` to ``end``; returns the new number of instances.

    ``ends`` holds the last instance of the PIM side, of the ASIC, and of the whole step so far.
    """
    base, section_input = count, ends[2]
    clock, instances, period_ps = work.clock[0], work.instances, engine.control.asic_period_ps
    for i in range(begin, end):
        own = steps.instruction[steps.order[i]]
        if engine.control.serial == 1:
            need = ends[2]
        else:
            need = latest_need(steps.needs, own, instances, base, section_input)
        ready = clock.now_ps if need < 0 else instances[need, END]
        wait_cause = clock.wait_cause if need < 0 else steps.instruction[instances[need, INSTRUCTION]].waits_as
        start = ready
        previous = ends[0] if own.pim == 1 else ends[1]
        if own.pim == 1:
            finish = run_pim(engine, steps, work, count, own, ready, wait_cause)
            ends[0] = count
        else:
            start = -(-max(ready, clock.asic_free_ps) // period_ps) * period_ps
            finish = start + own.duration_ps
            clock.asic_free_ps = finish
            ends[1] = count
        if previous >= 0 and (need < 0 or instances[previous, END] > instances[need, END]):
            need = previous
        instances[count, START], instances[count, END] = start, finish
        instances[count, PREDECESSOR], instances[count, INSTRUCTION] = need, steps.order[i]
        ends[2] = count
        count += 1
    return count


@inlined_kernel
def book_critical(instruction, instances, last, start_ps, critical):  # type: ignore[no-untyped-def]
    """Mutates ``critical``: walk back from the last instance over what each waited for; the parts sum to the step's time."""
    cursor = instances[last, END]
    current = last
    while current >= 0:
        predecessor = instances[current, PREDECESSOR]
        reached = start_ps if predecessor < 0 else min(cursor, instances[predecessor, END])
        critical[instruction[instances[current, INSTRUCTION]].label] += cursor - reached
        cursor = reached
        current = predecessor


@kernel
def run_steps(core, steps, work, step_ps):  # type: ignore[no-untyped-def]
    """Mutates all state: run every step in turn; ``step_ps`` gets each step's time, ``work.critical`` what it was spent on."""
    engine, steps, work = core[0], unowned(steps), unowned(work)
    clock, instances = work.clock[0], work.instances
    ends = np.full(3, -1, np.int64)
    if engine.control.skip == 1:
        follow_new(engine)
    for s in range(step_ps.shape[0]):
        start = clock.now_ps
        ends[:] = -1
        count = 0
        for section in range(steps.first[s], steps.first[s + 1]):
            for _ in range(steps.times[section]):
                begin, end = steps.begin[section], steps.end[section]
                count = run_section(engine, steps, work, begin, end, count, ends)
        last = count - 1
        clock.now_ps = instances[last, END]
        clock.wait_cause = steps.instruction[instances[last, INSTRUCTION]].waits_as
        book_critical(steps.instruction, instances, last, start, work.critical)
        step_ps[s] = clock.now_ps - start
    divide(engine.rules.kinds, work)


@kernel
def refresh_all(core, channels, log, cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates channels, which have nothing to do until ``cycle``: the refreshes that go before a command then."""
    engine = core[0]
    for c in range(channels.shape[0]):
        if engine.control.skip == 0:
            unload(engine.memo, channels[c])
        refresh_until(engine, channels[c], log, cycle, wait_cause)
