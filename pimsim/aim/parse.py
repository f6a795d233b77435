"""Read an AiM trace in bounded memory, refusing what is malformed with its line number.

A compiled kernel reads what is written plainly; lines that it leaves are read here, one at a time.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from pimsim.aim.isr import (
    ACTIVATION_FUNCTION_ROW,
    AIM_ISRS,
    BANK,
    CFR,
    CFR_ACTIVATION_FUNCTION,
    CFR_COUNT,
    CHANNEL,
    DATA,
    END,
    GPR0,
    GPR1,
    HOST_ISRS,
    MASK,
    OPSIZE,
    PREFIX,
    ROW,
    UNSUPPORTED,
    Isr,
)
from pimsim.dram.organization import DramOrganization
from pimsim.engine import kernels_aim_text as text_kernel
from pimsim.engine.aim_state import R_COLUMNS
from pimsim.engine.kernels_aim_text import T_BYTE, T_ENDED, T_LINE, T_READ, T_SELECTED, IsrTable, read_lines
from pimsim.engine.rule_arrays import IntArray
from pimsim.errors import TraceError, nearest
from pimsim.files import open_regular

MAX_LINES = 1 << 21
MAX_LINE_BYTES = 4096
MAX_OPSIZE = 1 << 20
_MAX_CFR_DATA = (1 << 16) - 1
_MAX_GPR = (1 << 32) - 1
_BYTES_AT_ONCE = 1 << 22
_FAST_LINE_BYTES = MAX_LINE_BYTES
_SHORTEST_LINE_BYTES = 6
_SETS = {
    OPSIZE: text_kernel.SETS_OPSIZE,
    MASK: text_kernel.SETS_MASK,
    CHANNEL: text_kernel.SETS_CHANNEL,
    BANK: text_kernel.SETS_BANK,
    ROW: text_kernel.SETS_ROW,
    CFR: text_kernel.SETS_REGISTER,
    DATA: text_kernel.SETS_DATA,
    GPR0: text_kernel.SETS_NOTHING,
    GPR1: text_kernel.SETS_NOTHING,
}


def read_trace(path: Path, organization: DramOrganization, codes: dict[str, int]) -> IntArray:
    """Parse the trace in ``path`` for a device; ``codes`` maps command names to codes. Returns a row (R_*) an instruction.

    Raises TraceError with the line number for anything malformed, and for more than MAX_LINES lines.
    """
    try:
        with open_regular(path, TraceError, buffering=0) as handle:
            return _Reader(str(path), organization, codes).read(handle)
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None


class _Reader:
    """One pass over a trace: what instructions look like, where it is, and the columns so far."""

    def __init__(self, where: str, organization: DramOrganization, codes: dict[str, int]) -> None:
        self.where, self.organization, self.codes = where, organization, codes
        self.limits = {
            OPSIZE: (1, MAX_OPSIZE),
            MASK: (1, (1 << organization.channels) - 1),
            CHANNEL: (0, organization.channels - 1),
            BANK: (0, organization.banks - 1),
            ROW: (0, organization.rows - 1),
            CFR: (0, CFR_COUNT - 1),
            DATA: (0, _MAX_CFR_DATA),
        }
        self.table = self._table()
        self.progress = self.table.progress
        self.last_mask, self.values = np.zeros(2, np.int64), np.zeros(text_kernel.SET_FIELDS, np.int64)

    def read(self, handle: BinaryIO) -> IntArray:
        parts, rest = [], b""
        while chunk := handle.read(_BYTES_AT_ONCE):
            whole, feed, after = chunk.rpartition(b"\n")
            if feed or len(rest) + len(chunk) > MAX_LINE_BYTES:
                parts.append(self._read(rest + whole + feed if feed else rest + chunk))
                rest = after if feed else b""
            else:
                rest += chunk
        parts.append(self._read(rest))
        if not self.progress[T_ENDED]:
            raise self._error(f"the trace ends here without 'AiM {END}'")
        return np.concatenate(parts)

    def _read(self, data: bytes) -> IntArray:
        """The instructions of whole lines."""
        out = np.empty((len(data) // _SHORTEST_LINE_BYTES + 1, R_COLUMNS), np.int64)
        text, progress = np.frombuffer(data, np.uint8), self.progress
        progress[T_BYTE] = progress[T_READ] = 0
        while not read_lines(self.table, text, out, self.last_mask, self.values, MAX_LINES, _FAST_LINE_BYTES):
            first = int(progress[T_BYTE])
            found = data.find(b"\n", first)
            after = found + 1 if found >= 0 else len(data)
            progress[T_LINE] += 1
            self._slowly(data[first:after], out)
            progress[T_BYTE] = after
        return out[: progress[T_READ]].copy()

    def _slowly(self, raw: bytes, out: IntArray) -> None:
        """A line that the kernel left; raises TraceError if it is malformed."""
        tokens = self._text(raw).split()
        if not tokens or tokens[0].startswith("#"):
            return
        if self.progress[T_ENDED]:
            ended = f"'AiM {END}' of line {self.progress[T_ENDED]}"
            raise self._error(f"'{_shown(' '.join(tokens))}' after {ended}, which must be the last instruction")
        isr = self._instruction(tokens)
        out[self.progress[T_READ]] = self._entry(isr, self._fields(isr, tokens[2:]))
        self.progress[T_READ] += 1
        if isr.name == END:
            self.progress[T_ENDED] = self.progress[T_LINE]

    def _text(self, raw: bytes) -> str:
        if self.progress[T_LINE] > MAX_LINES:
            raise self._error(f"longer than {MAX_LINES} lines; split it at an 'AiM SYNC'")
        if b"\0" in raw[: MAX_LINE_BYTES + 1]:
            raise self._error("not a text file: it holds a zero byte")
        if len(raw) > MAX_LINE_BYTES:
            raise self._error(f"longer than {MAX_LINE_BYTES} bytes: not an instruction")
        return raw.decode("utf-8", "backslashreplace")

    def _instruction(self, tokens: list[str]) -> Isr:
        kind = tokens[0]
        if kind not in ("AiM", "R", "W"):
            raise self._error(f"'{_shown(kind)}' must be AiM, R or W{nearest(kind[:20], ('AiM', 'R', 'W'))}")
        if len(tokens) < 2:
            raise self._error(f"'{kind}' must be followed by an instruction: the line is cut short")
        name = tokens[1].removeprefix(PREFIX) if kind == "AiM" else f"{kind} {tokens[1]}"
        table = AIM_ISRS if kind == "AiM" else HOST_ISRS
        if name == UNSUPPORTED and kind == "AiM":
            raise self._error(f"{UNSUPPORTED} is not supported: tables of activation functions cannot be loaded")
        if name not in table:
            raise self._error(f"unknown instruction '{_shown(name)}'{nearest(name[:40], table)}; allowed: {', '.join(table)}")
        return table[name]

    def _fields(self, isr: Isr, tokens: list[str]) -> dict[str, int]:
        if len(tokens) != len(isr.fields):
            listed = " ".join(isr.fields) or "none"
            raise self._error(f"{isr.name} takes {len(isr.fields)} fields ({listed}), not {len(tokens)}")
        return {name: self._number(isr, name, token) for name, token in zip(isr.fields, tokens, strict=True)}

    def _number(self, isr: Isr, name: str, token: str) -> int:
        low, high = self.limits.get(name, (0, _MAX_GPR))
        if token.isascii() and token.isdigit() and len(token) <= 20:
            value = int(token)
        else:
            value = self._hexadecimal(isr, name, token)
        if not low <= value <= high:
            shown = (hex(low), hex(high)) if name == MASK else (low, high)
            raise self._error(f"{isr.name}: {name} {_shown(token)} must be {shown[0]}..{shown[1]}")
        return value

    def _hexadecimal(self, isr: Isr, name: str, token: str) -> int:
        digits = token[2:]
        if token[:2] in ("0x", "0X") and digits.isascii() and digits.isalnum() and len(token) <= 20:
            try:
                return int(digits, 16)
            except ValueError:
                pass
        raise self._error(f"{isr.name}: {name} '{_shown(token)}' must be a whole number, decimal or 0x hexadecimal")

    def _entry(self, isr: Isr, fields: dict[str, int]) -> tuple[int, ...]:
        """Columns of an instruction, in order (R_*)."""
        row = fields.get(ROW, -1)
        if isr.name == "AF":
            row = ACTIVATION_FUNCTION_ROW + int(self.progress[T_SELECTED])
        if isr.name == "W CFR" and fields[CFR] == CFR_ACTIVATION_FUNCTION:
            self.progress[T_SELECTED] = fields[DATA]
        channels = self._channels(isr, fields)
        command = self.codes[isr.command] if isr.command else -1
        return isr.kind, command, fields.get(OPSIZE, 1), channels, fields.get(BANK, -1), row

    def _channels(self, isr: Isr, fields: dict[str, int]) -> int:
        """Channels as bits of a signed number; bit ``i`` of a trace's mask means the ``i``-th channel from the end."""
        count = self.organization.channels
        if CHANNEL in fields:
            return _signed(1 << fields[CHANNEL])
        if MASK not in fields:
            return _signed((1 << count) - 1)
        mask = fields[MASK]
        if isr.one_channel and mask.bit_count() != 1:
            raise self._error(f"{isr.name}: mask {mask:#x} names {mask.bit_count()} channels, must name exactly one")
        return _signed(int(f"{mask:0{count}b}"[::-1], 2))

    def _table(self) -> IsrTable:
        """What the kernel must know of the instructions."""
        isrs = [("AiM", name, isr) for isr in AIM_ISRS.values() for name in (isr.name, PREFIX + isr.name)]
        isrs += [(name[0], name[2:], isr) for name, isr in HOST_ISRS.items()]
        rows = [self._row(word, name, isr) for word, name, isr in isrs]
        limits = np.zeros((text_kernel.SET_FIELDS, 2), np.int64)
        limits[:, 1] = _MAX_GPR
        for name, (low, high) in self.limits.items():
            limits[_SETS[name]] = low, min(high, np.iinfo(np.int64).max)
        progress = np.zeros(text_kernel.T_FIELDS, np.int64)
        return IsrTable(np.array(rows, np.int64), limits, progress, self.organization.channels)

    def _row(self, word: str, name: str, isr: Isr) -> list[int]:
        row = ACTIVATION_FUNCTION_ROW if isr.name == "AF" else -1
        selects = CFR_ACTIVATION_FUNCTION if isr.name == "W CFR" else 0
        sets = [_SETS[field] for field in isr.fields] + [0] * (text_kernel.MAX_FIELDS - len(isr.fields))
        command = self.codes[isr.command] if isr.command else -1
        named = (_packed(word)[0], *_packed(name))
        return [*named, isr.kind, command, isr.one_channel, isr.name == END, row, selects, len(isr.fields), *sets]

    def _error(self, message: str) -> TraceError:
        return TraceError(f"{self.where}: line {max(1, int(self.progress[T_LINE]))}: {message}")


def _shown(text: str) -> str:
    """``text`` shortened and with unprintable characters escaped, to be quoted in a message."""
    return ascii(text.strip()[:60])[1:-1]


def _packed(name: str) -> tuple[int, int]:
    """``name`` as the kernel compares it."""
    data = name.encode("ascii")
    return int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big")


def _signed(bits: int) -> int:
    """64 bits as the signed number that holds them."""
    return bits - (1 << 64) if bits >> 63 else bits
