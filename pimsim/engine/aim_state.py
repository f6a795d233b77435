"""Plain arrays behind the AiM front end and its channel controllers: instructions, device tables, mutable state.

Channels that are addressed by the same instructions are in the same state at all times, because they start alike and
meet others only through the front end; they form one *class*, and one controller stands for all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.engine.kernels_rules import fresh_channel
from pimsim.engine.rule_arrays import NEVER, IntArray, RuleArrays

# What an instruction asks of a channel.
KIND_NONE, KIND_READ, KIND_WRITE, KIND_BANK, KIND_ALL, KIND_REGISTER, KIND_RESULT, KIND_SYNC = range(8)

# Columns of ``AimState.front``.
F_CYCLE, F_LINE, F_STALLED, F_SPILLED, F_LOGGED, F_STATUS, F_FIELDS = range(7)
STATUS_RUNNING, STATUS_DONE, STATUS_STUCK, STATUS_LOG_FULL = range(4)

# Columns of ``AimState.channel``.
(
    C_REGISTER_MODE,
    C_WRITE_MODE,
    C_WAKE,
    C_LAST_WRITE,
    C_LAST_READ,
    C_WAITING,
    C_WAITING_FROM,
    C_DEFERRED,
    C_REFRESHES,
    C_LAST_REFRESH,
    C_FIELDS,
) = range(11)
WAITING_NONE, WAITING_RESULT, WAITING_SYNC = range(3)

# Buffers of plain reads and writes, and what an entry holds.
B_READ, B_WRITE, B_ACTIVE, BUFFERS = 0, 1, 2, 3
E_BANK, E_ROW, E_ARRIVED, E_WRITES, E_FIELDS = range(5)

# Columns of the log.
L_CLOCK, L_CLASS, L_COMMAND, L_BANK, L_ROW, L_COLUMN, L_FIELDS = range(7)

# Entries of ``AimTables.parameter``.
(
    P_CAPACITY,
    P_FORWARD_ANY,
    P_OVERTAKE,
    P_REACTIVATE,
    P_GROUPED,
    P_REFRESH,
    P_REFRESH_INTERVAL,
    P_MAX_POSTPONED,
    P_REFRESH_LEAD,
    P_BANKS_PER_GROUP,
) = range(10)
REFRESH_NONE, REFRESH_ALL_BANK, REFRESH_PER_BANK = range(3)
REFRESH_MODES = {"none": REFRESH_NONE, "all_bank": REFRESH_ALL_BANK, "per_bank": REFRESH_PER_BANK}

# Entries of ``AimTables.code``: codes of the commands that the controller itself chooses.
(K_ACT, K_PREPB, K_PREAB, K_ACT_AB, K_TMOD, K_REFAB, K_REFPB, K_RD, K_WR) = range(9)
CHOSEN = ("ACT", "PREpb", "PREab", "ACT_AB", "TMOD", "REFab", "REFpb", "RD", "WR")

BUFFER_ENTRIES = 32
FAR = 1 << 60


class AimLines(NamedTuple):
    """Instructions, an entry each. ``member[addressed[i], c]`` is 1 where instruction ``i`` addresses class ``c``."""

    kind: IntArray
    command: IntArray
    opsize: IntArray
    addressed: IntArray
    bank: IntArray
    row: IntArray
    member: IntArray


class AimTables(NamedTuple):
    """The device beside its rules: ``code`` of chosen commands (K_*), ``parameter`` of the controller (P_*)."""

    code: IntArray
    parameter: IntArray


class AimState(NamedTuple):
    """Mutable state of the front end and of each class of channels ``c``.

    ``deadline``, ``history``: rule state by class, as ChannelRules. ``open_row[c, bank]``: -1 closed.
    ``fifo[c, slot]``: (line, column) of AiM requests, a ring that starts at ``fifo_at[c, 0]`` and holds ``fifo_at[c, 1]``.
    ``spill[c]``: next and end column of the current line's requests that the controller refused.
    ``plain[c, buffer, entry]``: plain requests (E_*), ``plain_count[c, buffer]`` of them.
    ``deferred[c]``: departures of reads behind a SYNC or EOC. ``counts[c, command]``: commands issued.
    """

    front: IntArray
    channel: IntArray
    deadline: IntArray
    history: IntArray
    open_row: IntArray
    fifo: IntArray
    fifo_at: IntArray
    spill: IntArray
    plain: IntArray
    plain_count: IntArray
    deferred: IntArray
    counts: IntArray
    log: IntArray


def aim_tables(device: Device) -> AimTables:
    """Tables of ``device``, whose controller has the peer's quirks or none."""
    spec, quirks = device.spec, device.controller.quirks == "aim_simulator"
    interval, mode = device.timing["nREFI"], REFRESH_MODES[spec.dram.refresh.mode]
    if mode == REFRESH_PER_BANK:
        interval = max(1, interval // device.organization.banks)
    grouped = device.pim.all_bank_activation.grouped_by < device.organization.banks
    parameter = {
        P_CAPACITY: BUFFER_ENTRIES + quirks,
        P_FORWARD_ANY: quirks,
        P_OVERTAKE: quirks,
        P_REACTIVATE: quirks,
        P_GROUPED: grouped,
        P_REFRESH: mode,
        P_REFRESH_INTERVAL: interval,
        P_MAX_POSTPONED: spec.dram.refresh.max_postponed,
        P_REFRESH_LEAD: device.table.refresh_lead_ck(mode == REFRESH_PER_BANK),
        P_BANKS_PER_GROUP: device.organization.banks_per_group,
    }
    code = device.table.code
    return AimTables(
        np.array([code[name] for name in CHOSEN], np.int64),
        np.array([int(parameter[i]) for i in range(len(parameter))], np.int64),
    )


def fresh_state(rules: RuleArrays, classes: int, log_entries: int) -> AimState:
    """State in which nothing has happened."""
    timing = fresh_channel(rules)
    slots = BUFFER_ENTRIES + 2
    channel = _zeros(classes, C_FIELDS)
    channel[:, C_WAKE] = 1
    channel[:, (C_LAST_WRITE, C_LAST_READ)] = NEVER
    return AimState(
        front=_zeros(F_FIELDS),
        channel=channel,
        deadline=np.repeat(timing.deadline[None], classes, axis=0),
        history=np.repeat(timing.history[None], classes, axis=0),
        open_row=np.full((classes, rules.banks), -1, np.int64),
        fifo=_zeros(classes, slots, 2),
        fifo_at=_zeros(classes, 2),
        spill=_zeros(classes, 2),
        plain=_zeros(classes, BUFFERS, slots, E_FIELDS),
        plain_count=_zeros(classes, BUFFERS),
        deferred=_zeros(classes, 2 * slots),
        counts=_zeros(classes, len(rules.commands) - 1),
        log=_zeros(log_entries, L_FIELDS),
    )


def _zeros(*shape: int) -> NDArray[np.int64]:
    return np.zeros(shape, np.int64)
