"""Compiled core: AiM instructions from the bytes of a trace.

What is written plainly is read here; a line in any way unusual or wrong is left to the caller, which reads it slowly
or refuses it with a message. Names are compared as 16 bytes packed into two integers.
"""

from __future__ import annotations

from typing import NamedTuple

from pimsim.engine.aim_state import R_BANK, R_CHANNELS, R_COMMAND, R_KIND, R_OPSIZE, R_ROW
from pimsim.engine.kernels_cache import inlined_kernel, kernel
from pimsim.engine.rule_arrays import IntArray

# What a field of an instruction sets.
(
    SETS_NOTHING,
    SETS_OPSIZE,
    SETS_MASK,
    SETS_CHANNEL,
    SETS_BANK,
    SETS_ROW,
    SETS_REGISTER,
    SETS_DATA,
    SET_FIELDS,
) = range(9)
MAX_FIELDS = 4
NAME_BYTES = 16

# Columns of ``IsrTable.isr``, followed by what each of MAX_FIELDS fields sets.
I_FIRST_WORD, I_NAME, I_NAME_REST, I_KIND, I_COMMAND, I_ONE_CHANNEL, I_ENDS, I_ROW, I_SELECTS, I_FIELDS, I_SETS = range(11)
# Entries of ``IsrTable.progress``: byte and line to go on at, instructions read, register that selects the function, last line.
T_BYTE, T_LINE, T_READ, T_SELECTED, T_ENDED, T_FIELDS = range(6)

NEW_LINE, CARRIAGE_RETURN, SPACE, TAB, HASH = 10, 13, 32, 9, 35


class IsrTable(NamedTuple):
    """What instructions look like: ``isr`` a row each (I_*), ``limits[sets]`` lowest and highest value of a field.

    ``progress`` (T_*) is where reading stands; mutable. T_ENDED is the line of the last instruction, 0 before it.
    """

    isr: IntArray
    limits: IntArray
    progress: IntArray
    channels: int


@inlined_kernel
def word(text, at, end):  # type: ignore[no-untyped-def]
    """(first byte, byte after) of the next word before ``end``; both ``end`` if there is none."""
    while at < end and (text[at] == SPACE or text[at] == TAB):
        at += 1
    last = at
    while last < end and text[last] != SPACE and text[last] != TAB:
        last += 1
    return at, last


@inlined_kernel
def packed(text, first, last):  # type: ignore[no-untyped-def]
    """(first 8 bytes, next 8) of a word as integers; (-1, -1) if it is longer or not ASCII."""
    if last - first > NAME_BYTES:
        return -1, -1
    low, high = 0, 0
    for k in range(first, last):
        if text[k] > 127:
            return -1, -1
        if k - first < 8:
            low = low << 8 | int(text[k])
        else:
            high = high << 8 | int(text[k])
    return low, high


@inlined_kernel
def number(text, first, last):  # type: ignore[no-untyped-def]
    """A word as decimal or 0x hexadecimal number; -1 if it is not one, or has more than 15 digits."""
    value = 0
    if last - first > 2 and text[first] == 48 and (text[first + 1] == 120 or text[first + 1] == 88):
        if last - first > 17:
            return -1
        for k in range(first + 2, last):
            byte = int(text[k])
            if 48 <= byte <= 57:
                value = value << 4 | (byte - 48)
            elif 97 <= byte <= 102:
                value = value << 4 | (byte - 87)
            elif 65 <= byte <= 70:
                value = value << 4 | (byte - 55)
            else:
                return -1
        return value
    if last - first > 15 or last == first:
        return -1
    for k in range(first, last):
        byte = int(text[k])
        if byte < 48 or byte > 57:
            return -1
        value = value * 10 + byte - 48
    return value


@inlined_kernel
def instruction_at(table, text, first, last, name_first, name_last):  # type: ignore[no-untyped-def]
    """Row of the instruction with these two words; -1 if there is none."""
    word_of, _ = packed(text, first, last)
    low, high = packed(text, name_first, name_last)
    for k in range(table.isr.shape[0]):
        row = table.isr[k]
        if row[I_NAME] == low and row[I_NAME_REST] == high and row[I_FIRST_WORD] == word_of:
            return k
    return -1


@inlined_kernel
def line_end(text, at, end):  # type: ignore[no-untyped-def]
    """Byte of the next line feed; ``end`` if there is none."""
    while at < end and text[at] != NEW_LINE:
        at += 1
    return at


@inlined_kernel
def reversed_bits(mask, count):  # type: ignore[no-untyped-def]
    """``mask`` with bit ``i`` as bit ``count - 1 - i``."""
    out = 0
    for k in range(count):
        if mask >> k & 1:
            out |= 1 << (count - 1 - k)
    return out


@inlined_kernel
def read_fields(table, text, at, end, isr, values):  # type: ignore[no-untyped-def]
    """Mutates ``values``, by what a field sets. False if a field is missing, malformed, beyond its limits or too many."""
    for k in range(isr[I_FIELDS]):
        first, at = word(text, at, end)
        value = number(text, first, at)
        sets = isr[I_SETS + k]
        if value < table.limits[sets, 0] or value > table.limits[sets, 1]:
            return False
        values[sets] = value
    first, _ = word(text, at, end)
    return first == end


@inlined_kernel
def read_line(table, text, at, end, last_mask, values, out):  # type: ignore[no-untyped-def]
    """Mutates ``out``, ``values`` and ``last_mask``: one instruction. False if it is left to the caller."""
    first, last = word(text, at, end)
    name_first, name_last = word(text, last, end)
    k = instruction_at(table, text, first, last, name_first, name_last)
    if k < 0:
        return False
    isr = table.isr[k]
    values[SETS_OPSIZE], values[SETS_BANK], values[SETS_ROW] = 1, -1, isr[I_ROW]
    values[SETS_MASK], values[SETS_CHANNEL] = 0, -1
    if not read_fields(table, text, name_last, end, isr, values):
        return False
    mask = values[SETS_MASK]
    if isr[I_ONE_CHANNEL] and mask & (mask - 1) != 0:
        return False
    if isr[I_ROW] > 0:
        values[SETS_ROW] = isr[I_ROW] + table.progress[T_SELECTED]
    if isr[I_SELECTS] and values[SETS_REGISTER] == isr[I_SELECTS]:
        table.progress[T_SELECTED] = values[SETS_DATA]
    if values[SETS_CHANNEL] >= 0:
        out[R_CHANNELS] = 1 << values[SETS_CHANNEL]
    elif mask == 0:
        out[R_CHANNELS] = -1 if table.channels == 64 else (1 << table.channels) - 1
    else:
        if mask != last_mask[0]:
            last_mask[0], last_mask[1] = mask, reversed_bits(mask, table.channels)
        out[R_CHANNELS] = last_mask[1]
    out[R_KIND], out[R_COMMAND] = isr[I_KIND], isr[I_COMMAND]
    out[R_OPSIZE], out[R_BANK], out[R_ROW] = values[SETS_OPSIZE], values[SETS_BANK], values[SETS_ROW]
    table.progress[T_ENDED] = isr[I_ENDS] * (table.progress[T_LINE] + 1)
    return True


@kernel
def read_lines(table, text, out, last_mask, values, max_lines, max_line_bytes):  # type: ignore[no-untyped-def]
    """Mutates ``out`` and ``table.progress``: reads the lines of ``text``, all of them complete.

    Stops before a line that is not plain, at the end, and after ``max_lines`` lines. True if all is read.
    """
    progress = table.progress
    size = text.shape[0]
    while progress[T_BYTE] < size:
        at = progress[T_BYTE]
        end = line_end(text, at, size)
        after = end + 1
        if progress[T_LINE] >= max_lines or end - at >= max_line_bytes:
            return False
        if end > at and text[end - 1] == CARRIAGE_RETURN:
            end -= 1
        for k in range(at, end):
            if text[k] > 126 or (text[k] < SPACE and text[k] != TAB):
                return False
        first, _ = word(text, at, end)
        if first < end and text[first] != HASH:
            if progress[T_ENDED] or not read_line(table, text, at, end, last_mask, values, out[progress[T_READ]]):
                return False
            progress[T_READ] += 1
        progress[T_BYTE] = min(after, size)
        progress[T_LINE] += 1
    return True
