"""Mutable state of a channel, and its controller's settings, as records."""

from __future__ import annotations

from typing import Any, NamedTuple

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSE_INDEX, CAUSES
from pimsim.engine.records import record_type, records
from pimsim.engine.rule_arrays import IntArray

REFRESH_NONE, REFRESH_ALL_BANK, REFRESH_PER_BANK = range(3)
REFRESH_MODES = {"none": REFRESH_NONE, "all_bank": REFRESH_ALL_BANK, "per_bank": REFRESH_PER_BANK}

# Largest device that the records have room for.
MAX_COMMANDS, MAX_NODES, MAX_HISTORIES, MAX_DEPTH = 64, 96, 8, 8

CAUSE_REFRESH = CAUSE_INDEX["refresh"]
WAITING = len(CAUSES)  # where waits for inputs are booked while nobody knows yet what is waited for
OWN_ARRAYS = -1  # ``state`` of a channel whose timing state is in its own arrays, not among the known ones
FRESH = 0  # ``state`` in which nothing holds anything back

CHANNEL = record_type(
    last=int,  # cycle of the last issue
    state=int,  # number of the timing state relative to ``last``, see ``memo``; or OWN_ARRAYS
    refreshes=int,  # refreshes done
    done=int,  # end of the current block's data so far
    open_mask=int,  # bit mask of open banks
    open_all=int,  # 1 if they were opened all at once
    after_refresh=int,  # 1 if a refresh's command came last
    open_cycles=int,  # cycles with a bank open
    simulated=int,  # bursts simulated one by one
    causes=(int, len(CAUSES) + 1),  # cycles by cause, and WAITING
    extra=(int, MAX_COMMANDS),  # commands that refresh caused, by code
    deadline=(int, MAX_COMMANDS, MAX_NODES, 2),  # as in ``kernels_rules``, if ``state`` is OWN_ARRAYS
    history=(int, MAX_HISTORIES, MAX_NODES, MAX_DEPTH),
)
CLOCK = record_type(
    now_ps=int,  # when the last step ended
    asic_free_ps=int,
    wait_cause=int,  # what waiting since then is booked on
    united=int,  # 1 while channel 0 stands for all
)
CONTROL = record_type(
    refresh_mode=int,
    interval_ck=int,
    postponed=int,  # refreshes that may be owed
    lead_ck=int,  # time that closing banks for a refresh may take
    refresh_code=int,  # codes are those of the device's command table, -1 if absent
    precharge_all=int,
    precharge_bank=int,
    activate_all=int,
    activate_bank=int,
    act_groups=int,  # commands that ACT_AB takes to open all banks
    t_ck_ps=int,
    asic_period_ps=int,
    serial=int,  # 1 if an instruction waits for the one before it
    skip=int,  # 1 if what is known is used
)


class Work(NamedTuple):
    """What running steps changes (mutable arrays): CHANNEL records; two more that say where a leading channel stood; the log of
    bursts (see ``write_log``); a CLOCK; the instances of the instructions of one step; time on the critical path by label.
    """

    channels: Any
    before: Any
    log: IntArray
    clock: Any
    instances: IntArray
    critical: IntArray


def fresh_channels(channels: int) -> Any:
    """CHANNEL records of channels in which nothing has been issued; the first command may issue at cycle 0."""
    now = records(channels, CHANNEL)
    now.last, now.state = -1, FRESH
    return now


def control_of(device: Device, skip: bool = True) -> dict[str, int]:
    """Fields of CONTROL for a PIM device: what a channel's controller knows beside the rules."""
    code = device.table.code
    mode = REFRESH_MODES[device.spec.dram.refresh.mode]
    return {
        "refresh_mode": mode,
        "interval_ck": device.timing["nREFI"],
        "postponed": device.spec.dram.refresh.max_postponed,
        "lead_ck": device.table.refresh_lead_ck(mode == REFRESH_PER_BANK),
        "refresh_code": code["REFpb" if mode == REFRESH_PER_BANK else "REFab"],
        "precharge_all": code["PREab"],
        "precharge_bank": code["PREpb"],
        "activate_all": code["ACT_AB"],
        "activate_bank": code["ACT"],
        "act_groups": device.activation_groups,
        "t_ck_ps": device.timing.t_ck_ps,
        "asic_period_ps": device.asic_period_ps,
        "serial": int(device.controller.issue == "serial"),
        "skip": int(skip),
    }
