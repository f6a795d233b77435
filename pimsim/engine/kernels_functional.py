"""Compiled core of the functional run: what every command does to the numbers of one channel.

Commands and addresses only: a command acts on the rows that are open, whatever its own row field says, and a
difference between the two is an error. BF16 numbers are the upper halves of float32 numbers, as uint16.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.engine.kernels_bf16 import rounded, tree_sum, widen
from pimsim.engine.kernels_cache import inner_kernel, kernel
from pimsim.engine.kernels_unowned import unowned

(NOTHING, OPEN, CLOSE, READ, WRITE, READ_CLOSE, WRITE_CLOSE, MAC, LOAD, READ_RESULT, WRITE_BIAS, COPY_IN, COPY_OUT, UNKNOWN) = (
    range(14)
)
(FINE, ROW_OPEN, ROW_CLOSED, WRONG_ROW, BEYOND_VECTOR, BEYOND_BUFFER, EMPTY_BUFFER, ACCUMULATORS_FULL, NO_SUCH_RESULT, NO_MEANING, BEYOND_ROW) = range(11)  # fmt: skip
POSITION, LOADED = 0, 1


class Numbers(NamedTuple):
    """State of all channels.

    ``memory`` (channels, banks, columns, lanes) BF16, ``open_row`` (channels, banks) or -1, ``buffer`` (channels,
    columns, lanes) float32, ``pointer`` (channels, 2): next column that a MAC takes from the buffer and columns loaded,
    ``tag`` (channels, accumulators): output group or -1, ``accumulator`` (channels, accumulators, banks) float32,
    ``executed`` (channels, commands).
    """

    memory: NDArray[np.uint16]
    open_row: NDArray[np.int64]
    buffer: NDArray[np.float32]
    pointer: NDArray[np.int64]
    tag: NDArray[np.int64]
    accumulator: NDArray[np.float32]
    executed: NDArray[np.int64]


class Meaning(NamedTuple):
    """What does not change: ``action`` of each command, columns of a row, banks of a group, which results are rounded."""

    action: NDArray[np.int64]
    columns_per_row: int
    banks_per_group: int
    round_sums: int
    round_results: int


class Bursts(NamedTuple):
    """The bursts of one block; rows are relative to ``base_row``."""

    command: NDArray[np.int64]
    group: NDArray[np.int64]
    bank: NDArray[np.int64]
    count: NDArray[np.int64]  # type: ignore[assignment]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    operand: NDArray[np.int64]
    vectors: NDArray[np.int64]
    base_row: int


class Transfer(NamedTuple):
    """What crosses the pins during an instruction.

    ``sent`` (columns, lanes) BF16 is what WR_GB, WR and WR_BIAS take from; a WR writes lanes ``first_lane`` to ``end_lane``.
    ``read`` (columns, lanes) BF16 and ``result`` (groups, banks) float32 are filled; ``read_times`` and
    ``result_times`` count how often each of their rows was.
    """

    sent: NDArray[np.uint16]
    first_lane: int
    end_lane: int
    read: NDArray[np.uint16]
    read_times: NDArray[np.int64]
    result: NDArray[np.float32]
    result_times: NDArray[np.int64]


@inner_kernel
def slot_of(tags, group):  # type: ignore[no-untyped-def]
    """Accumulator that holds output ``group``, or -1."""
    for i in range(len(tags)):
        if tags[i] == group:
            return i
    return -1


@inner_kernel
def taken_slot(tags, sums, group):  # type: ignore[no-untyped-def]
    """Accumulator for ``group``: the one that holds it, or a free one, cleared; -1 if none is free. Changes tags and sums."""
    found = slot_of(tags, group)
    if found < 0:
        found = slot_of(tags, -1)
        if found >= 0:
            tags[found] = group
            sums[found, :] = 0
    return found


@inner_kernel
def multiply(meaning, numbers, channel, banks, column, group, vectors, scratch):  # type: ignore[no-untyped-def]
    """One column of every bank of ``banks`` times the buffer's next columns, one of each vector. Changes ``numbers``."""
    pointer = numbers.pointer[channel]
    if pointer[LOADED] == 0:
        return EMPTY_BUFFER
    for vector in range(vectors):
        into = taken_slot(numbers.tag[channel], numbers.accumulator[channel], group + vector)
        if into < 0:
            return ACCUMULATORS_FULL
        multiply_one(meaning, numbers, channel, banks, column, into, scratch)
        pointer[POSITION] = (pointer[POSITION] + 1) % pointer[LOADED]
    return FINE


@inner_kernel
def multiply_one(meaning, numbers, channel, banks, column, into, scratch):  # type: ignore[no-untyped-def]
    """One column of every bank of ``banks`` times the buffer's next column, added to accumulator ``into``. Changes ``numbers``."""
    lanes = numbers.memory.shape[3]
    factors, sums = numbers.buffer[channel, numbers.pointer[channel, POSITION]], numbers.accumulator[channel, into]
    values = np.empty(lanes, np.float32)
    words = values.view(np.uint32)
    for bank in range(banks[0], banks[1]):
        at = numbers.open_row[channel, bank] * meaning.columns_per_row + column
        widen(numbers.memory[channel, bank, at], values, words)
        for lane in range(lanes):
            values[lane] = values[lane] * factors[lane]
            if meaning.round_sums:
                values[lane] = rounded(values[lane], scratch)
        sums[bank] += tree_sum(values, lanes, meaning.round_sums, scratch)
        if meaning.round_sums:
            sums[bank] = rounded(sums[bank], scratch)


@inner_kernel
def load_buffer(numbers, channel, column, at):  # type: ignore[no-untyped-def]
    """Put one column of BF16 at place ``at`` of the buffer; a load from place 0 on starts a new vector. Changes ``numbers``."""
    buffer = numbers.buffer[channel]
    if at >= len(buffer):
        return BEYOND_BUFFER
    widen(column, buffer[at], buffer[at].view(np.uint32))
    numbers.pointer[channel, POSITION] = 0
    numbers.pointer[channel, LOADED] = at + 1
    return FINE


@inner_kernel
def read_result(meaning, numbers, channel, group, transfer, scratch):  # type: ignore[no-untyped-def]
    """Hand over the accumulators of ``group`` and free them. Changes ``numbers`` and ``transfer``."""
    found = slot_of(numbers.tag[channel], group)
    if group < 0 or found < 0:
        return NO_SUCH_RESULT
    if group >= len(transfer.result):
        return BEYOND_VECTOR
    for bank in range(numbers.accumulator.shape[2]):
        value = numbers.accumulator[channel, found, bank]
        transfer.result[group, bank] = rounded(value, scratch) if meaning.round_results else value
    transfer.result_times[group] += 1
    numbers.tag[channel, found] = -1
    return FINE


@inner_kernel
def write_bias(numbers, channel, group, transfer):  # type: ignore[no-untyped-def]
    """Start the accumulators of ``group`` from ``banks`` elements sent, the first being element ``group * banks``."""
    sums, flat = numbers.accumulator[channel], transfer.sent.ravel()
    banks = sums.shape[1]
    if group < 0 or (group + 1) * banks > len(flat):
        return BEYOND_VECTOR
    into = taken_slot(numbers.tag[channel], sums, group)
    if into < 0:
        return ACCUMULATORS_FULL
    widen(flat[group * banks : (group + 1) * banks], sums[into], sums[into].view(np.uint32))
    return FINE


@inner_kernel
def write_column(column, transfer, operand):  # type: ignore[no-untyped-def]
    """Overwrite a column, or some lanes of it, with column ``operand`` of what is sent."""
    if operand < 0 or operand >= len(transfer.sent):
        return BEYOND_VECTOR
    for lane in range(transfer.first_lane, transfer.end_lane):
        column[lane] = transfer.sent[operand, lane]
    return FINE


@inner_kernel
def access(numbers, channel, action, column, operand, transfer):  # type: ignore[no-untyped-def]
    """A read, write or copy of one column of one bank. Changes ``column``, ``numbers`` or ``transfer``."""
    if action in (WRITE, WRITE_CLOSE):
        return write_column(column, transfer, operand)
    if action == COPY_IN:
        return load_buffer(numbers, channel, column, operand)
    if action == COPY_OUT:
        if operand < 0 or operand >= numbers.pointer[channel, LOADED]:
            return BEYOND_BUFFER
        column[:] = (numbers.buffer[channel, operand].view(np.uint32) >> np.uint32(16)).astype(np.uint16)
        return FINE
    if operand < 0 or operand >= len(transfer.read):
        return BEYOND_VECTOR
    transfer.read[operand] = column
    transfer.read_times[operand] += 1
    return FINE


@inner_kernel
def switch_rows(open_row, banks, action, row):  # type: ignore[no-untyped-def]
    """Open ``row`` in the banks or close them. Changes ``open_row``."""
    for bank in range(banks[0], banks[1]):
        if action == OPEN and open_row[bank] >= 0:
            return ROW_OPEN
        open_row[bank] = row if action == OPEN else -1
    return FINE


@inner_kernel
def check_rows(open_row, banks, row):  # type: ignore[no-untyped-def]
    """Whether all banks have ``row`` open."""
    for bank in range(banks[0], banks[1]):
        if open_row[bank] < 0:
            return ROW_CLOSED
        if open_row[bank] != row:
            return WRONG_ROW
    return FINE


@inner_kernel
def one_command(meaning, numbers, channel, bursts, i, k, banks, transfer, scratch):  # type: ignore[no-untyped-def]
    """The effect of repetition ``k`` of burst ``i``. Changes ``numbers`` and ``transfer``; returns FINE or what is wrong."""
    action, operand = meaning.action[bursts.command[i]], bursts.operand[i]
    row, column = bursts.base_row + bursts.row[i], bursts.column[i] + k
    if action == NOTHING:
        return FINE
    if action in (OPEN, CLOSE):
        return switch_rows(numbers.open_row[channel], banks, action, row)
    if action == LOAD:
        if operand < 0 or operand + k >= len(transfer.sent):
            return BEYOND_VECTOR
        return load_buffer(numbers, channel, transfer.sent[operand + k], k)
    if action == READ_RESULT:
        return read_result(meaning, numbers, channel, operand + k, transfer, scratch)
    if action == WRITE_BIAS:
        return write_bias(numbers, channel, operand + k, transfer)
    if action == UNKNOWN:
        return NO_MEANING
    if column < 0 or column >= meaning.columns_per_row:
        return BEYOND_ROW
    status = check_rows(numbers.open_row[channel], banks, row)
    if status != FINE:
        return status
    if action == MAC:
        return multiply(meaning, numbers, channel, banks, column, operand, bursts.vectors[i], scratch)
    at = numbers.open_row[channel, banks[0]] * meaning.columns_per_row + column
    status = access(numbers, channel, action, numbers.memory[channel, banks[0], at], operand + k, transfer)
    if action in (READ_CLOSE, WRITE_CLOSE):
        numbers.open_row[channel, banks[0]] = -1
    return status


@kernel
def execute(meaning, numbers, channel, bursts, transfer):  # type: ignore[no-untyped-def]
    """Execute a block, command by command. Changes ``numbers`` and ``transfer``; returns (FINE or what is wrong, burst)."""
    numbers, bursts, transfer, meaning = unowned(numbers), unowned(bursts), unowned(transfer), unowned(meaning)
    scratch = np.empty(1, np.float32)
    for i in range(len(bursts.command)):
        banks = (0, numbers.memory.shape[1])
        if bursts.bank[i] >= 0:
            banks = (bursts.bank[i], bursts.bank[i] + 1)
        elif bursts.group[i] >= 0:
            banks = (bursts.group[i] * meaning.banks_per_group, (bursts.group[i] + 1) * meaning.banks_per_group)
        for k in range(bursts.count[i]):
            status = one_command(meaning, numbers, channel, bursts, i, k, banks, transfer, scratch)
            if status != FINE:
                return status, i
        numbers.executed[channel, bursts.command[i]] += bursts.count[i]
    return FINE, -1
