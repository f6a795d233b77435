"""Text of unknown origin made safe to show: on a terminal, in a message, in Markdown and in a cell of a table."""

from __future__ import annotations

import re
from typing import Any

MAX_SHOWN = 100
_MAX_LINE = 2000
_MAX_LINES = 60
_MARKUP = re.compile(r"([\\`*{}\[\]<>#!|~&])")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\Z")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


def printable(text: str, keep: str = "") -> str:
    """``text`` with every character that a terminal would act upon, or has no sign for, as an escape; those in ``keep`` stay as they are."""
    if text.isprintable():
        return text
    return "".join(c if c in keep or c.isprintable() else _escape(c) for c in text)


def shown(text: object, limit: int = MAX_SHOWN) -> str:
    """``text`` on one line, cut in its middle to about ``limit`` characters."""
    return _cut(printable(str(text)), limit)


def message(text: str) -> str:
    """A message of several lines, without control characters, each line and the number of lines bounded."""
    lines = text.split("\n")
    kept = [shown(line, _MAX_LINE) for line in lines[:_MAX_LINES]]
    more = len(lines) - len(kept)
    return "\n".join([*kept, *([f"... and {more:,} more lines"] if more else [])])


def markdown(text: object) -> str:
    """``text`` as plain text of a Markdown page or of a cell of its tables."""
    return _MARKUP.sub(r"\\\1", printable(str(text)))


def table_cell(value: Any) -> Any:
    """``value`` for a cell of a CSV file: text that a spreadsheet would compute gets an apostrophe before it, control characters escapes."""
    if not isinstance(value, str):
        return value
    text = printable(value, "\n\t")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not _NUMBER.match(text) else text


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    tail = limit // 4
    return f"{text[: limit - tail]}...({len(text):,} characters)...{text[-tail:]}"
