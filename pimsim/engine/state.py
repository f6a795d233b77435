"""Mutable state of all channels as plain arrays, and the constants that name their parts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX, CAUSES
from pimsim.engine.kernels_rules import fresh_channel
from pimsim.engine.rule_arrays import IntArray, RuleArrays

REFRESH_NONE, REFRESH_ALL_BANK, REFRESH_PER_BANK = range(3)
REFRESH_MODES = {"none": REFRESH_NONE, "all_bank": REFRESH_ALL_BANK, "per_bank": REFRESH_PER_BANK}

# Columns of a channel's counters; the cycles of each cause and the commands that refresh caused follow.
LAST, REFRESHES, OPEN_MASK, OPEN_ALL, AFTER_REFRESH, OPEN_CYCLES, DONE, SAME_BLOCK, SAME_SHIFT, BURSTS, LINEAGE, LOCAL_UNTIL = (
    range(12)
)
FIRST_CAUSE = 12
FIRST_EXTRA = FIRST_CAUSE + len(CAUSES)
CAUSE_REFRESH = CAUSE_INDEX["refresh"]


class Channels(NamedTuple):
    """State of every channel; the first axis is the channel.

    ``counters`` columns: cycle of the last issue, refreshes done, bit mask of open banks, whether they were opened all at
    once, whether a refresh came last, cycles with a bank open, end of the current block's data, the block (with its
    shift) whose recorded end this state equals, or -1 if ``deadline`` and ``history`` hold it themselves, bursts
    simulated one by one, a number that two channels share only if their states are equal, and a cycle from
    which on no rule below channel level holds anything back; from FIRST_CAUSE on cycles by cause, from FIRST_EXTRA on commands that refresh caused, by code.
    """

    deadline: IntArray
    history: IntArray
    counters: IntArray


class Control(NamedTuple):
    """What a channel's controller knows beside the rules (int64 scalars).

    ``lead_ck``: time that closing banks for a refresh may take. ``act_groups``: commands ACT_AB takes to open all banks. Codes are those of the device's command table, -1 if absent.
    """

    refresh_mode: int
    interval_ck: int
    postponed: int
    lead_ck: int
    refresh_code: int
    precharge_all: int
    precharge_bank: int
    activate_all: int
    activate_bank: int
    act_groups: int
    t_ck_ps: int
    asic_period_ps: int
    serial: int
    skip: int


class Work(NamedTuple):
    """What ``run_steps`` needs beside the channels (mutable arrays): counters of a leading channel before it ran, the log of
    bursts (see ``write_log``), clocks, the instruction instances of one step, and time on the critical path by label.
    """

    scratch: IntArray
    log: IntArray
    clock: IntArray
    instances: IntArray
    critical: IntArray


def fresh_channels(rules: RuleArrays, channels: int) -> Channels:
    """Channels in which nothing has been issued; the first command may issue at cycle 0."""
    one = fresh_channel(rules)
    counters = np.zeros((channels, FIRST_EXTRA + len(rules.commands) - 1), np.int64)
    counters[:, LAST] = -1
    counters[:, SAME_BLOCK] = -1
    return Channels(np.repeat(one.deadline[None], channels, 0), np.repeat(one.history[None], channels, 0), counters)


def control_of(device: Device, skip: bool = True) -> Control:
    """Controller settings of a PIM device."""
    code = device.table.code
    mode = REFRESH_MODES[device.spec.dram.refresh.mode]
    return Control(
        refresh_mode=mode,
        interval_ck=device.timing["nREFI"],
        postponed=device.spec.dram.refresh.max_postponed,
        lead_ck=device.table.refresh_lead_ck(mode == REFRESH_PER_BANK),
        refresh_code=code["REFpb" if mode == REFRESH_PER_BANK else "REFab"],
        precharge_all=code["PREab"],
        precharge_bank=code["PREpb"],
        activate_all=code["ACT_AB"],
        activate_bank=code["ACT"],
        act_groups=device.activation_groups,
        t_ck_ps=device.timing.t_ck_ps,
        asic_period_ps=device.asic_period_ps,
        serial=int(device.controller.issue == "serial"),
        skip=int(skip),
    )
