"""Read an AiM trace: line by line, in bounded memory, refusing what is malformed with its line number."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

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
    HOST_ISRS,
    MASK,
    OPSIZE,
    PREFIX,
    ROW,
    UNSUPPORTED,
    Isr,
)
from pimsim.dram.organization import DramOrganization
from pimsim.errors import TraceError, nearest

MAX_LINES = 1 << 21
MAX_LINE_BYTES = 4096
MAX_OPSIZE = 1 << 20
_MAX_CFR_DATA = (1 << 16) - 1
_MAX_GPR = (1 << 32) - 1


@dataclass
class AimTrace:
    """Host instructions as columns, one entry each: request kind, final command's code, repetitions, channels, bank, row.

    ``channels`` has bit ``c`` set for channel ``c``. ``bank`` and ``row`` are -1 where an instruction has none.
    """

    kind: array[int] = field(default_factory=lambda: array("b"))
    command: array[int] = field(default_factory=lambda: array("b"))
    opsize: array[int] = field(default_factory=lambda: array("i"))
    channels: array[int] = field(default_factory=lambda: array("Q"))
    bank: array[int] = field(default_factory=lambda: array("h"))
    row: array[int] = field(default_factory=lambda: array("i"))

    def __len__(self) -> int:
        return len(self.kind)


def read_trace(path: Path, organization: DramOrganization, codes: dict[str, int]) -> AimTrace:
    """Parse the trace in ``path`` for a device; ``codes`` maps command names to codes.

    Raises TraceError with the line number for anything malformed, and for more than MAX_LINES lines.
    """
    try:
        with path.open("rb") as handle:
            return _Reader(str(path), organization, codes).read(handle)
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None


class _Reader:
    """One pass over a trace: where it is, the register that selects the activation function, and the columns so far."""

    def __init__(self, where: str, organization: DramOrganization, codes: dict[str, int]) -> None:
        self.where, self.organization, self.codes = where, organization, codes
        self.line = 0
        self.activation_function = 0
        self.trace = AimTrace()
        self.limits = {
            OPSIZE: (1, MAX_OPSIZE),
            MASK: (1, (1 << organization.channels) - 1),
            CHANNEL: (0, organization.channels - 1),
            BANK: (0, organization.banks - 1),
            ROW: (0, organization.rows - 1),
            CFR: (0, CFR_COUNT - 1),
            DATA: (0, _MAX_CFR_DATA),
        }

    def read(self, handle: BinaryIO) -> AimTrace:
        ended = 0
        for text in self._lines(handle):
            tokens = text.split()
            if not tokens or tokens[0].startswith("#"):
                continue
            if ended:
                raise self._error(f"'{_shown(text)}' after 'AiM {END}' of line {ended}, which must be the last instruction")
            isr = self._instruction(tokens)
            self._append(isr, self._fields(isr, tokens[2:]))
            if isr.name == END:
                ended = self.line
        if not ended:
            raise self._error(f"the trace ends here without 'AiM {END}'")
        return self.trace

    def _lines(self, handle: BinaryIO) -> Iterator[str]:
        while raw := handle.readline(MAX_LINE_BYTES + 1):
            self.line += 1
            if self.line > MAX_LINES:
                raise self._error(f"longer than {MAX_LINES} lines; split it at an 'AiM SYNC'")
            if b"\0" in raw:
                raise self._error("not a text file: it holds a zero byte")
            if len(raw) > MAX_LINE_BYTES:
                raise self._error(f"longer than {MAX_LINE_BYTES} bytes: not an instruction")
            yield raw.decode("utf-8", "backslashreplace")

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

    def _append(self, isr: Isr, fields: dict[str, int]) -> None:
        trace = self.trace
        row = fields.get(ROW, -1)
        if isr.name == "AF":
            row = ACTIVATION_FUNCTION_ROW + self.activation_function
        if isr.name == "W CFR" and fields[CFR] == CFR_ACTIVATION_FUNCTION:
            self.activation_function = fields[DATA]
        channels = self._channels(isr, fields)
        trace.kind.append(isr.kind)
        trace.command.append(self.codes[isr.command] if isr.command else -1)
        trace.opsize.append(fields.get(OPSIZE, 1))
        trace.channels.append(channels)
        trace.bank.append(fields.get(BANK, -1))
        trace.row.append(row)

    def _channels(self, isr: Isr, fields: dict[str, int]) -> int:
        """Channels as bits; bit ``i`` of a trace's mask means the ``i``-th channel from the end."""
        count = self.organization.channels
        if CHANNEL in fields:
            return 1 << fields[CHANNEL]
        if MASK not in fields:
            return (1 << count) - 1
        mask = fields[MASK]
        if isr.one_channel and mask.bit_count() != 1:
            raise self._error(f"{isr.name}: mask {mask:#x} names {mask.bit_count()} channels, must name exactly one")
        return int(f"{mask:0{count}b}"[::-1], 2)

    def _error(self, message: str) -> TraceError:
        return TraceError(f"{self.where}: line {max(1, self.line)}: {message}")


def _shown(text: str) -> str:
    """``text`` shortened and with unprintable characters escaped, to be quoted in a message."""
    return ascii(text.strip()[:60])[1:-1]
