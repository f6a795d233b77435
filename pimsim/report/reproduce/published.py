"""Figures as published: read from the table beside this file, with source and confidence."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from importlib import resources

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Published:
    """A published figure; ``key`` names it in code, ``text`` is the value as stated."""

    key: str
    figure: str
    text: str
    unit: str
    source: str
    confidence: str


def published_figures() -> dict[str, Published]:
    """Every figure by key, in the order of the table."""
    text = resources.files("pimsim.report.reproduce").joinpath("pim_gpt.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["key"]: Published(row["key"], row["figure"], row["published"], row["unit"], row["source"], row["confidence"])
        for row in rows
    }


def published_range(text: str) -> tuple[float, float] | None:
    """First number, or first pair ``a-b``, of a published value; None if it has none."""
    first = text.partition(";")[0]
    found = [float(number) for number in _NUMBER.findall(first)]
    if not found:
        return None
    pair = found[:2] if re.search(r"\d-\d", first) else found[:1] * 2
    return pair[0], pair[1]
