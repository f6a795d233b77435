"""Read command streams (CSV) in bounded memory: ``clock,command,channel,bank_group,bank,row,column``.

Between channel and bank group stand the levels that the standard has (``pseudo_channel``, ``sid``, ``rank``). Columns are found
by name, whatever their case and underscores (``BankGroup``), others are ignored; commas, semicolons or tabs separate them. An
empty field and -1 both mean: not addressed. Blank lines and lines that begin with ``#`` are skipped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.command_trace import CommandTrace, IntArray, addressed_only, check_fields, concatenate
from pimsim.errors import TraceError, nearest
from pimsim.files import open_regular

_BEFORE, _AFTER = ("clock", "command", "channel"), ("bank_group", "bank", "row", "column")
_SEPARATORS = (b",", b";", b"\t")
BLOCK_BYTES = 1 << 21
MAX_LINE_BYTES = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 40


def columns_of(device: Device) -> tuple[str, ...]:
    """Columns of a stream of the device's standard, in the order in which they are written."""
    return (*_BEFORE, *(level for level, _ in device.organization.outer), *_AFTER)


def read_stream(path: str | Path, device: Device, need_clock: bool = True) -> Iterator[CommandTrace]:
    """Parts of the stream in ``path``, in order, each checked against the device's commands and organization.

    Without ``need_clock`` the clock column may be missing or empty (-1 then) and its order is nobody's concern; with it,
    the auditor checks the order. Raises TraceError with file and line.
    """
    try:
        with open_regular(path, TraceError) as file:
            yield from _parts(file, device, need_clock, str(path))
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None


def load_stream(path: str | Path, device: Device, need_clock: bool = True) -> CommandTrace:
    """The whole stream in memory (see ``read_stream``)."""
    return concatenate(list(read_stream(path, device, need_clock)))


def _parts(file: BinaryIO, device: Device, need_clock: bool, where: str) -> Iterator[CommandTrace]:
    layout: _Layout | None = None
    empty = True
    for first_line, lines in _line_blocks(file, where):
        numbered = [(n, line) for n, line in enumerate(lines, first_line) if line.strip() and not line.lstrip().startswith(b"#")]
        if layout is None:
            if not numbered:
                continue
            layout = _header(numbered.pop(0), need_clock, device, where)
        if not numbered:
            continue
        empty = False
        numbers, fields = _split(numbered, layout, where)
        part = _part(numbers, fields, layout, device, where)
        check_fields(part, device, where)
        if need_clock and (part.clock < 0).any():
            raise TraceError(f"{where}:{numbers[int(np.argmax(part.clock < 0))]}: the clock is empty or negative")
        yield addressed_only(part, device)
    if empty:
        header = f"no header; it would be: {','.join(columns_of(device))}"
        raise TraceError(f"{where}:1: {'holds no commands' if layout else f'is empty: {header}'}")


class _Layout(NamedTuple):
    """How the lines of a stream are made: separator, position of each column, fields a line."""

    separator: bytes
    place: dict[str, int]
    width: int


def _line_blocks(file: BinaryIO, where: str) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first line, lines) of consecutive pieces; refuses what is not text in lines."""
    line, tail, first = 1, b"", True
    while block := file.read(BLOCK_BYTES):
        if b"\0" in block:
            raise TraceError(f"{where}:{line + (tail + block[: block.index(0)]).count(10)}: is a binary file, not a CSV stream")
        block = tail + (block.removeprefix(_BYTE_ORDER_MARK) if first else block)
        body, newline, tail = block.rpartition(b"\n")
        first = False
        if len(tail) > MAX_LINE_BYTES:
            at = line + body.count(b"\n") + len(newline)
            raise TraceError(f"{where}:{at}: line is longer than {MAX_LINE_BYTES} bytes; not a CSV stream")
        if newline:
            lines = body.replace(b"\r\n", b"\n").removesuffix(b"\r").split(b"\n")
            yield line, lines
            line += len(lines)
    if tail:
        yield line, [tail.removesuffix(b"\r")]


def _header(numbered: tuple[int, bytes], need_clock: bool, device: Device, where: str) -> _Layout:
    """Layout of the lines, from the first of them."""
    number, line = numbered
    separator = max(_SEPARATORS, key=line.count)
    names = [name.strip().strip('"') for name in line.decode("utf-8", "replace").split(separator.decode())]
    folded = [_fold(name) for name in names]
    shown = line[:_SHOWN].decode("utf-8", "replace")
    if not {_fold(column) for column in columns_of(device)} & set(folded):
        header = ",".join(columns_of(device))
        raise TraceError(f"{where}:{number}: the first line is no header: {shown!r}; put this line before it: {header}")
    counts = dict(device.organization.outer)
    place = {}
    for column in columns_of(device):
        found = folded.count(_fold(column))
        if found > 1:
            raise TraceError(f"{where}:{number}: column '{column}' is given {found} times")
        if found:
            place[column] = folded.index(_fold(column))
        elif not (column == "clock" and not need_clock) and counts.get(column) != 1:
            raise TraceError(f"{where}:{number}: column '{column}' is missing{nearest(column, names)}; the header is: {shown!r}")
    return _Layout(separator, place, len(names))


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


def _split(numbered: list[tuple[int, bytes]], layout: _Layout, where: str) -> tuple[list[int], list[bytes]]:
    """Line numbers and all their fields in one list."""
    separator, count = layout.separator, layout.width
    numbers = [number for number, _ in numbered]
    lines = [line for _, line in numbered]
    if any(b'"' in line for line in lines):
        rows = [_quoted(line, separator, f"{where}:{number}") for number, line in numbered]
        sizes, flat = [len(row) for row in rows], [field for row in rows for field in row]
    else:
        sizes = [line.count(separator) + 1 for line in lines]
        flat = separator.join(lines).split(separator)
    if any(size != count for size in sizes):
        wrong = next(k for k, size in enumerate(sizes) if size != count)
        fields = f"{sizes[wrong]} fields, the header has {count}"
        raise TraceError(f"{where}:{numbers[wrong]}: {fields}: {lines[wrong][:_SHOWN].decode('utf-8', 'replace')!r}")
    return numbers, flat


def _quoted(line: bytes, separator: bytes, where: str) -> list[bytes]:
    """Fields of a line that has quotes; a quoted field may hold separators, not line ends."""
    try:
        return [field.encode("latin-1") for field in next(csv.reader([line.decode("latin-1")], delimiter=separator.decode()))]
    except csv.Error as error:
        raise TraceError(f"{where}: {error}") from None


def _part(numbers: list[int], fields: list[bytes], layout: _Layout, device: Device, where: str) -> CommandTrace:
    values = {}
    for name in columns_of(device):
        at = layout.place.get(name, -1)
        texts = fields[at :: layout.width] if at >= 0 else [b""] * len(numbers)
        values[name] = _codes(texts, device, numbers, where) if name == "command" else _integers(texts, name, numbers, where)
    outer = [(level, count, values.pop(level)) for level, count in device.organization.outer]
    return CommandTrace(**values, unit=_units(outer, numbers, where), line=np.array(numbers, np.int64))


def _units(outer: list[tuple[str, int, IntArray]], numbers: list[int], where: str) -> IntArray:
    """Number of the innermost of the levels between channel and bank group, -1 where one of them is not given."""
    unit, known = np.zeros(len(numbers), np.int64), np.ones(len(numbers), np.bool_)
    for level, count, values in outer:
        wrong = (values < -1) | (values >= count)
        if wrong.any():
            k = int(np.argmax(wrong))
            allowed = f"allowed: 0 to {count - 1}"
            raise TraceError(f"{where}:{numbers[k]}: {level} {int(values[k])} is out of range; {allowed}")
        unit = unit * count + np.maximum(values, 0)
        known &= (values >= 0) | (count == 1)
    return np.where(known, unit, -1)


def _codes(texts: list[bytes], device: Device, numbers: list[int], where: str) -> IntArray:
    names = device.standard.command_names
    codes = {name.encode(): code for code, name in enumerate(names)}
    folded = {name.lower().encode(): code for code, name in enumerate(names)}
    found = [codes.get(text, -1) for text in texts]
    for k, code in enumerate(found):
        if code < 0:
            name = texts[k].strip()
            if name.lower() not in folded:
                shown = name[:_SHOWN].decode("utf-8", "replace")
                hint = nearest(shown, names) or f"; known: {', '.join(names)}"
                raise TraceError(f"{where}:{numbers[k]}: unknown command {shown!r}{hint}")
            found[k] = folded[name.lower()]
    return np.array(found, np.int64)


def _integers(texts: list[bytes], name: str, numbers: list[int], where: str) -> IntArray:
    if b"_" not in b"".join(texts):
        try:
            return np.array([int(text) if text else -1 for text in texts], np.int64)
        except (ValueError, OverflowError):
            pass
    return np.array([_integer(text, name, number, where) for text, number in zip(texts, numbers, strict=True)], np.int64)


def _integer(text: bytes, name: str, number: int, where: str) -> int:
    """One integer, blank for -1; digits and a sign only, and no more digits than 64 bits hold."""
    text = text.strip()
    if not text:
        return -1
    digits = text[1:] if text[:1] in b"+-" else text
    if not digits.isdigit() or len(digits) > 18:
        raise TraceError(f"{where}:{number}: {name} {text[:_SHOWN].decode('utf-8', 'replace')!r} is not a whole number")
    return int(text)
