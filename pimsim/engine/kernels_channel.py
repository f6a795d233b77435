"""Compiled core: one channel's in-order controller. Issues bursts, lets refresh in, books every cycle.

The interval after one issue up to and including the next belongs to the next command: its own slot to its own cause,
the slots before it first to the wait for its data, then to what bound it.
"""

from __future__ import annotations

from pimsim.engine.kernels_cache import inlined_kernel, inner_kernel
from pimsim.engine.kernels_rules import earliest, issue
from pimsim.engine.rule_arrays import (
    HISTORY,
    LATENCY,
    ROW_ACTION,
    ROW_CLOSE,
    ROW_COLUMN,
    ROW_COLUMN_CLOSE,
    ROW_NONE,
    ROW_OPEN,
    SPACING,
)
from pimsim.engine.state import CAUSE_REFRESH, REFRESH_ALL_BANK, REFRESH_NONE

FOREVER = 1 << 60
REFRESH_OWN = -1  # offset in the log of a command that refresh caused


@inner_kernel
def book(rules, now, command, own_cause, bound, cycle, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates ``now``: the slots up to ``cycle``, at which ``command`` issues, get their causes."""
    gap = cycle - now.last - 1
    wait = min(gap, max(0, data_cycle - now.last - 1))
    now.causes[wait_cause] += wait
    if gap > wait:
        cause = own_cause
        if now.after_refresh == 1:
            cause = CAUSE_REFRESH
        elif bound >= 0 and rules.pair_cause[bound, command] >= 0:
            cause = rules.pair_cause[bound, command]
        now.causes[cause] += gap - wait
    now.causes[own_cause] += 1
    if now.open_mask != 0:
        now.open_cycles += cycle - now.last
    now.last = cycle


@inlined_kernel
def every_bank(rules):  # type: ignore[no-untyped-def]
    """The bit mask of all banks."""
    one = 1
    return -1 if rules.banks == 64 else (one << rules.banks) - 1


@inner_kernel
def apply_row(rules, now, command, group, bank):  # type: ignore[no-untyped-def]
    """Mutates ``now``: banks that ``command`` opens or closes."""
    action = rules.commands[command, ROW_ACTION]
    if action in (ROW_NONE, ROW_COLUMN):
        return
    one = 1
    if bank >= 0:
        mask = one << bank
    elif group >= 0:
        in_group = rules.per_group
        mask = ((one << in_group) - 1) << (group * in_group)
    else:
        mask = every_bank(rules)
    if action == ROW_OPEN:
        now.open_mask |= mask
        now.open_all = 1 if bank < 0 else 0
    elif action in (ROW_CLOSE, ROW_COLUMN_CLOSE):
        now.open_mask &= ~mask


@inner_kernel
def refresh_due(rules, control, index):  # type: ignore[no-untyped-def]
    """Cycle at which refresh number ``index`` (from 0) is due."""
    if control.refresh_mode == REFRESH_NONE:
        return FOREVER
    if control.refresh_mode == REFRESH_ALL_BANK:
        return (index + 1) * control.interval_ck
    return (index + 1) * control.interval_ck // rules.banks


@inlined_kernel
def refresh_urgent(rules, control, index):  # type: ignore[no-untyped-def]
    """Cycle from which refresh number ``index`` closes banks, to be issued before more are owed than may be postponed."""
    return refresh_due(rules, control, index + control.postponed) - control.lead_ck


@inner_kernel
def refresh_limit(rules, control, now):  # type: ignore[no-untyped-def]
    """Cycle from which on a refresh goes before the next command: when urgent, or when due if its banks are closed."""
    index = now.refreshes
    if control.refresh_mode == REFRESH_NONE:
        return FOREVER
    one = 1
    target = -1 if control.refresh_mode == REFRESH_ALL_BANK else one << (index % rules.banks)
    urgent = refresh_urgent(rules, control, index)
    if now.open_mask & target == 0:
        return min(refresh_due(rules, control, index), urgent)
    return urgent


@inner_kernel
def write_log(log, cycle, count, offset, command, group, bank):  # type: ignore[no-untyped-def]
    """Mutates ``log`` unless it has no rows: first cycle, commands, offset in the burst, command, group, bank; row 0 counts."""
    if log.shape[0] > 1:
        log[0, 0] += 1
        row = log[0, 0]
        log[row, 0], log[row, 1], log[row, 2] = cycle, count, offset
        log[row, 3], log[row, 4], log[row, 5] = command, group, bank


@inner_kernel
def issue_extra(rules, now, log, command, group, bank, not_before, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates all state: a command that refresh needs issues as early as it may, not before ``not_before``."""
    time, bound = earliest(rules, now, command, group, bank)
    cycle = max(max(time, not_before), now.last + 1)
    now.after_refresh = 1
    book(rules, now, command, CAUSE_REFRESH, bound, cycle, data_cycle, wait_cause)
    issue(rules, now, command, group, bank, cycle)
    apply_row(rules, now, command, group, bank)
    now.extra[command] += 1
    write_log(log, cycle, 1, REFRESH_OWN, command, group, bank)


@inner_kernel
def do_refresh(rules, control, now, log, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates all state: one refresh, with precharge before and activation of the same banks after if rows are open."""
    index = now.refreshes
    bank = -1
    group = -1
    one = 1
    target = -1
    if control.refresh_mode != REFRESH_ALL_BANK:
        bank = index % rules.banks
        group = bank // rules.per_group
        target = one << bank
    opened = now.open_mask
    was_all = now.open_all == 1
    not_before = refresh_due(rules, control, index)
    reopen = opened & target != 0
    if reopen:
        urgent = refresh_urgent(rules, control, index)
        if bank >= 0 and not was_all:
            issue_extra(rules, now, log, control.precharge_bank, group, bank, urgent, data_cycle, wait_cause)
        else:
            issue_extra(rules, now, log, control.precharge_all, -1, -1, urgent, data_cycle, wait_cause)
    issue_extra(rules, now, log, control.refresh_code, group, bank, not_before, data_cycle, wait_cause)
    now.refreshes = index + 1
    if reopen:
        reopen_banks(rules, control, now, log, opened & ~now.open_mask, was_all, data_cycle, wait_cause)


@inner_kernel
def reopen_banks(rules, control, now, log, closed, was_all, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates all state: activate again the banks that a refresh had to close, the way they had been opened."""
    one = 1
    if was_all:
        per_group = rules.banks // control.act_groups
        for k in range(control.act_groups):
            group = k if control.act_groups > 1 else -1
            if closed & (one << (k * per_group)) != 0:
                issue_extra(rules, now, log, control.activate_all, group, -1, 0, data_cycle, wait_cause)
        return
    for bank in range(rules.banks):
        if closed & (one << bank) != 0:
            group = bank // rules.per_group
            issue_extra(rules, now, log, control.activate_bank, group, bank, 0, data_cycle, wait_cause)


@inner_kernel
def run_burst(rules, control, now, log, burst, data_cycle, wait_cause):  # type: ignore[no-untyped-def]
    """Mutates all state: issue a burst (command, group, bank, count, cause) none of it before ``data_cycle``.

    ``log`` takes a row for each unbroken part, see ``write_log``.
    """
    command, group, bank, count, own_cause = burst.command, burst.group, burst.bank, burst.count, burst.cause
    spacing = rules.commands[command, SPACING]
    offset = 0
    while offset < count:
        time, bound = earliest(rules, now, command, group, bank)
        cycle = max(max(time, data_cycle), now.last + 1)
        limit = refresh_limit(rules, control, now)
        if limit <= cycle:
            do_refresh(rules, control, now, log, data_cycle, wait_cause)
            continue
        part = min(count - offset, (limit - cycle + spacing - 1) // spacing)
        if part > 1 and (rules.commands[command, HISTORY] >= 0 or rules.commands[command, ROW_ACTION] == ROW_COLUMN_CLOSE):
            part = 1
        book(rules, now, command, own_cause, bound, cycle, data_cycle, wait_cause)
        now.after_refresh = 0
        final = cycle + (part - 1) * spacing
        if part > 1:
            now.causes[own_cause] += final - cycle
            if now.open_mask != 0:
                now.open_cycles += final - cycle
            now.last = final
        issue(rules, now, command, group, bank, final)
        apply_row(rules, now, command, group, bank)
        action = rules.commands[command, ROW_ACTION]
        if action in (ROW_NONE, ROW_COLUMN, ROW_COLUMN_CLOSE):
            now.done = max(now.done, final + rules.commands[command, LATENCY])
        write_log(log, cycle, part, offset, command, group, bank)
        offset += part
