"""Compiled core: who waits for whom. Runs the instructions of decoding steps over the channels and the ASIC.

Times between clock domains are integer picoseconds, rounded up to the receiver's next edge.
"""

from __future__ import annotations

import numpy as np

from pimsim.engine.kernels_cache import inner_kernel, kernel
from pimsim.engine.kernels_rules import ChannelRules
from pimsim.engine.kernels_timeline import run_block
from pimsim.engine.kernels_unowned import unowned
from pimsim.engine.state import BURSTS, DONE, FIRST_CAUSE, LAST, LINEAGE, OPEN_CYCLES, REFRESHES, SAME_BLOCK, SAME_SHIFT

KIND_PIM, KIND_ASIC = 0, 1
# Columns of ``StepArrays.facts``; the block of each channel follows.
FACT_NEEDS, FACT_KIND, FACT_DURATION, FACT_LABEL, FACT_WAITING, FACT_UNIFORM, FACT_ADDS = range(7)
FACTS = 10
NOW, ASIC_FREE, WAIT_CAUSE, LINEAGES, UNITED = range(5)  # columns of ``clock``
START, END, PREDECESSOR, INSTRUCTION = range(4)  # columns of ``instances``


@inner_kernel
def copy(source, target):  # type: ignore[no-untyped-def]
    """Mutates ``target``: the values of an array of the same shape. Assigning a slice takes several times as long."""
    for k in range(source.size):
        target.flat[k] = source.flat[k]


@inner_kernel
def same_start(before, counters):  # type: ignore[no-untyped-def]
    """True if two channels are in the same state: by descent, or because both stand at the end of the same record."""
    if before[LINEAGE] == counters[LINEAGE]:
        return True
    return (
        before[SAME_BLOCK] >= 0
        and before[SAME_BLOCK] == counters[SAME_BLOCK]
        and before[SAME_SHIFT] == counters[SAME_SHIFT]
        and before[LAST] == counters[LAST]
        and before[REFRESHES] == counters[REFRESHES]
    )


@inner_kernel
def take_over(channels, leader, c, before):  # type: ignore[no-untyped-def]
    """Mutates channel ``c``: give it what channel ``leader`` made of an equal start, whose counters are in ``before``."""
    source, target = channels.counters[leader], channels.counters[c]
    for k in range(target.shape[0]):
        if k == OPEN_CYCLES or k >= FIRST_CAUSE:
            target[k] += source[k] - before[k]
        elif k != BURSTS:
            target[k] = source[k]
    if source[SAME_BLOCK] < 0:
        copy(channels.deadline[leader], channels.deadline[c])
        copy(channels.history[leader], channels.history[c])


@inner_kernel
def unite(channels, work):  # type: ignore[no-untyped-def]
    """Mutates ``work``: if all channels are in the same state, from now on channel 0 stands for all."""
    for c in range(1, channels.counters.shape[0]):
        if not same_start(channels.counters[0], channels.counters[c]):
            return
    work.clock[UNITED] = 1
    copy(channels.counters[0], work.scratch[1])


@inner_kernel
def divide(channels, work):  # type: ignore[no-untyped-def]
    """Mutates channels: give every channel what channel 0 did while it stood for all."""
    if work.clock[UNITED] == 1:
        work.clock[UNITED] = 0
        for c in range(1, channels.counters.shape[0]):
            take_over(channels, 0, c, work.scratch[1])


@inner_kernel
def run_pim(rules, control, blocks, marks, channels, work, number, facts, ready_ps, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates channels: PIM instruction ``number`` of the step on each channel that has a block; returns its end in ps.

    A channel that starts exactly as the last simulated one did, with the same block, ends exactly as it and takes its
    state over; while all do, only channel 0 is kept up to date.
    """
    cycle = -(-ready_ps // control.t_ck_ps)
    end = ready_ps
    leader = -1
    block_row = facts[FACTS:]
    before, clock, log = work.scratch[0], work.clock, work.log
    if facts[FACT_UNIFORM] == 1 and control.skip == 1 and clock[UNITED] == 0:
        unite(channels, work)
    elif facts[FACT_UNIFORM] == 0:
        divide(channels, work)
    for c in range(1 if clock[UNITED] == 1 else block_row.shape[0]):
        if block_row[c] < 0:
            continue
        counters = channels.counters[c]
        twin = control.skip == 1 and leader >= 0 and block_row[leader] == block_row[c]
        if twin and same_start(before, counters):
            take_over(channels, leader, c, before)
        else:
            leader = c
            copy(counters, before)
            clock[LINEAGES] += 1
            counters[LINEAGE] = clock[LINEAGES]
            timing = ChannelRules(channels.deadline[c], channels.history[c])
            first_row = log[0, 0]
            run_block(rules, control, blocks, marks, timing, counters, log, block_row[c], cycle, wait_cause)
            if log.shape[0] > 1:
                log[first_row + 1 : log[0, 0] + 1, 6] = number
                log[first_row + 1 : log[0, 0] + 1, 7] = c
        done = counters[DONE]
        if control.serial == 1:
            done = max(done, counters[LAST] + 1)
        end = max(end, done * control.t_ck_ps)
    return end


@inner_kernel
def latest_need(steps, instances, base, i, section_input):  # type: ignore[no-untyped-def]
    """Instance that the instruction ``i`` waits longest for, among its needs; -1 for the start of the step."""
    latest = -2
    for k in range(steps.facts[i, FACT_NEEDS], steps.facts[i + 1, FACT_NEEDS]):
        need = steps.needs[k]
        candidate = section_input if need < 0 else base + need
        if latest == -2 or (candidate >= 0 and (latest < 0 or instances[candidate, END] > instances[latest, END])):
            latest = candidate
    return latest


@inner_kernel
def run_section(rules, control, blocks, marks, channels, steps, work, begin, end, count, ends):  # type: ignore[no-untyped-def]
    """Mutates all state: one pass over instructions ``begin`` to ``end``; returns the new number of instances.

    ``ends`` holds the last instance of the PIM side, of the ASIC, and of the whole step so far.
    """
    base, section_input = count, ends[2]
    clock, instances = work.clock, work.instances
    for i in range(begin, end):
        if control.serial == 1:
            need = ends[2]
        else:
            need = latest_need(steps, instances, base, i, section_input)
        ready = clock[NOW] if need < 0 else instances[need, END]
        wait_cause = clock[WAIT_CAUSE] if need < 0 else steps.facts[instances[need, INSTRUCTION], FACT_WAITING]
        start = ready
        previous = ends[1] if steps.facts[i, FACT_KIND] == KIND_ASIC else ends[0]
        if steps.facts[i, FACT_KIND] == KIND_ASIC:
            start = max(ready, clock[ASIC_FREE])
            start = -(-start // control.asic_period_ps) * control.asic_period_ps
            finish = start + steps.facts[i, FACT_DURATION]
            clock[ASIC_FREE] = finish
            ends[1] = count
        else:
            finish = run_pim(rules, control, blocks, marks, channels, work, count, steps.facts[i], ready, wait_cause)
            ends[0] = count
        if previous >= 0 and (need < 0 or instances[previous, END] > instances[need, END]):
            need = previous
        instances[count, START], instances[count, END] = start, finish
        instances[count, PREDECESSOR], instances[count, INSTRUCTION] = need, i
        ends[2] = count
        count += 1
    return count


@inner_kernel
def book_critical(steps, instances, last, start_ps, critical):  # type: ignore[no-untyped-def]
    """Mutates ``critical``: walk back from the last instance over what each waited for; the parts sum to the step's time."""
    cursor = instances[last, END]
    current = last
    while current >= 0:
        predecessor = instances[current, PREDECESSOR]
        reached = start_ps if predecessor < 0 else min(cursor, instances[predecessor, END])
        critical[steps.facts[instances[current, INSTRUCTION], FACT_LABEL]] += cursor - reached
        cursor = reached
        current = predecessor


@kernel
def run_steps(rules, control, blocks, marks, channels, steps, work, step_ps):  # type: ignore[no-untyped-def]
    """Mutates all state: run every step in turn; ``step_ps`` gets each step's time, ``work.critical`` what it was spent on."""
    rules, blocks, marks, channels = unowned(rules), unowned(blocks), unowned(marks), unowned(channels)
    steps, work = unowned(steps), unowned(work)
    clock, instances = work.clock, work.instances
    ends = np.full(3, -1, np.int64)
    for s in range(step_ps.shape[0]):
        start = clock[NOW]
        ends[:] = -1
        count = 0
        for section in range(steps.first[s], steps.first[s + 1]):
            for _ in range(steps.times[section]):
                begin, end = steps.begin[section], steps.end[section]
                count = run_section(rules, control, blocks, marks, channels, steps, work, begin, end, count, ends)
        last = count - 1
        clock[NOW] = instances[last, END]
        clock[WAIT_CAUSE] = steps.facts[instances[last, INSTRUCTION], FACT_WAITING]
        book_critical(steps, instances, last, start, work.critical)
        step_ps[s] = clock[NOW] - start
    divide(channels, work)


@kernel
def finish_channels(control, channels, end_ps, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates channels: book the slots from each channel's last issue to the end of the run; returns the run's cycles."""
    end = -(-end_ps // control.t_ck_ps)
    for c in range(channels.counters.shape[0]):
        end = max(end, channels.counters[c, LAST] + 1)
    for c in range(channels.counters.shape[0]):
        channels.counters[c, FIRST_CAUSE + wait_cause] += end - 1 - channels.counters[c, LAST]
        channels.counters[c, LAST] = end - 1
    return end
