"""Plain arrays behind the AiM front end and its channel controllers: instructions, device tables, mutable state.

Channels in the same state form one *class*, and one controller stands for all of them: they meet others only through the
front end, so they stay alike until an instruction addresses some of them and not others. Each class has its own time,
``C_WAKE``: controllers are only advanced as far as the front end needs to know what they take and complete.
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

# Columns of ``AimState.front``: the instruction at hand, the cycle at which it is or was decoded, whether it was, the last
# cycle at which a class took or completed it, classes in use, the instruction at which classes may next be merged.
(
    F_CYCLE,
    F_LINE,
    F_DECODE,
    F_STARTED,
    F_FINISHED,
    F_CLASSES,
    F_MERGE_LINE,
    F_MERGE_STEP,
    F_LOGGED,
    F_TICKS_LEFT,
    F_STATUS,
    F_FIELDS,
) = range(12)
STATUS_RUNNING, STATUS_DONE, STATUS_STUCK = range(3)

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
    C_QUEUED,
    C_NEXT_TAKEN,
    C_END_TAKEN,
    C_ADDRESSED,
    C_BLOCKED,
    C_REPEATED_AT,
    C_FIELDS,
) = range(17)
WAITING_NONE, WAITING_RESULT, WAITING_SYNC = range(3)

# Buffers of plain reads and writes, and what an entry holds.
B_READ, B_WRITE, B_ACTIVE, BUFFERS = 0, 1, 2, 3
E_BANK, E_ROW, E_ARRIVED, E_WRITES, E_FIELDS = range(5)

# Columns of instructions: request kind, final command's code, repetitions, channels (bit ``c`` set for channel ``c``),
# bank and row, -1 where an instruction has none.
R_KIND, R_COMMAND, R_OPSIZE, R_CHANNELS, R_BANK, R_ROW, R_COLUMNS = range(7)

# What a controller has chosen to do in a cycle: a command, its place, the mode it needs (-1: any), the command that its
# request ends in, whose request that is, and the entry of the buffer. Sources from 0 on are buffers of plain requests.
X_COMMAND, X_GROUP, X_BANK, X_ROW, X_COLUMN, X_REGISTER, X_FINAL, X_SOURCE, X_INDEX, X_FIELDS = range(10)
SOURCE_AIM, SOURCE_SYNC, SOURCE_REFRESH, SOURCE_NONE = -1, -2, -3, -4

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
    P_JUMP,
    P_SHARE,
) = range(12)
REFRESH_NONE, REFRESH_ALL_BANK, REFRESH_PER_BANK = range(3)
REFRESH_MODES = {"none": REFRESH_NONE, "all_bank": REFRESH_ALL_BANK, "per_bank": REFRESH_PER_BANK}

# Entries of ``AimTables.code``: codes of the commands that the controller itself chooses.
(K_ACT, K_PREPB, K_PREAB, K_ACT_AB, K_TMOD, K_REFAB, K_REFPB, K_RD, K_WR) = range(9)
CHOSEN = ("ACT", "PREpb", "PREab", "ACT_AB", "TMOD", "REFab", "REFpb", "RD", "WR")

BUFFER_ENTRIES = 32
FAR = 1 << 60


class AimTables(NamedTuple):
    """The device beside its rules: ``code`` of chosen commands (K_*), ``parameter`` of the controller (P_*)."""

    code: IntArray
    parameter: IntArray


class AimState(NamedTuple):
    """Mutable state of the front end and of each class of channels ``c``.

    ``members[c]``: bits of its channels; ``class_of[channel]``. ``deadline``, ``history``: rule state, as ChannelRules.
    ``open_row[c, bank]``: -1 closed. ``fifo[c, slot]``: (line, next column, requests) of AiM requests, a ring of runs that
    starts at ``fifo_at[c, 0]`` and holds ``fifo_at[c, 1]``; C_QUEUED requests in all. C_NEXT_TAKEN, C_END_TAKEN: columns of
    the instruction at hand that the controller has not taken. ``plain[c, buffer, entry]``: plain requests (E_*),
    ``plain_count[c, buffer]`` of them. ``deferred[c]``: departures of reads behind a SYNC or EOC.
    ``counts[c, command]``: commands issued by each channel of the class since it is one; ``totals[command]``: by all before.
    """

    front: IntArray
    channel: IntArray
    members: IntArray
    class_of: IntArray
    deadline: IntArray
    history: IntArray
    open_row: IntArray
    fifo: IntArray
    fifo_at: IntArray
    plain: IntArray
    plain_count: IntArray
    deferred: IntArray
    counts: IntArray
    totals: IntArray
    choice: IntArray
    log: IntArray


def aim_tables(device: Device, jump: bool = True, share: bool = True) -> AimTables:
    """Tables of ``device``, whose controller has the peer's quirks or none.

    Without ``jump`` every command is looked at on its own, without ``share`` every channel is: slower, with equal results.
    """
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
        P_JUMP: jump,
        P_SHARE: share,
    }
    code = device.table.code
    return AimTables(
        np.array([code[name] for name in CHOSEN], np.int64),
        np.array([int(parameter[i]) for i in range(len(parameter))], np.int64),
    )


def fresh_state(rules: RuleArrays, channels: int, share: bool, log_entries: int) -> AimState:
    """State in which nothing has happened; all channels in one class, or without ``share`` each in its own."""
    timing = fresh_channel(rules)
    slots = BUFFER_ENTRIES + 2
    channel = _zeros(channels, C_FIELDS)
    channel[:, C_WAKE] = 1
    channel[:, (C_LAST_WRITE, C_LAST_READ, C_REPEATED_AT)] = NEVER
    bits = np.left_shift(np.uint64(1), np.arange(channels, dtype=np.uint64)).view(np.int64)
    front = _zeros(F_FIELDS)
    front[F_DECODE] = 1
    front[F_MERGE_STEP] = 1
    front[F_CLASSES] = 1 if share else channels
    members = bits
    if share:
        members = _zeros(channels)
        members[0] = np.bitwise_or.reduce(bits)
    return AimState(
        front=front,
        channel=channel,
        members=members,
        class_of=_zeros(channels) if share else np.arange(channels, dtype=np.int64),
        deadline=np.repeat(timing.deadline[None], channels, axis=0),
        history=np.repeat(timing.history[None], channels, axis=0),
        open_row=np.full((channels, rules.banks), -1, np.int64),
        fifo=_zeros(channels, slots, 3),
        fifo_at=_zeros(channels, 2),
        plain=_zeros(channels, BUFFERS, slots, E_FIELDS),
        plain_count=_zeros(channels, BUFFERS),
        deferred=_zeros(channels, 2 * slots),
        counts=_zeros(channels, len(rules.commands) - 1),
        totals=_zeros(len(rules.commands) - 1),
        choice=_zeros(X_FIELDS),
        log=_zeros(log_entries, L_FIELDS),
    )


def _zeros(*shape: int) -> NDArray[np.int64]:
    return np.zeros(shape, np.int64)
