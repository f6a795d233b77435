"""What a sweep can move at no modelled cost, and why: said by ``pimsim check`` and by a sweep over such a value."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

FREE = {
    "dram.timing.*": "times of the memory are facts of its datasheet; what a faster memory would cost is not modelled",
    "dram.data_rate_mt_per_s": "as dram.timing",
    "dram.refresh.max_postponed": "a rule of the controller within JEDEC's limit; it takes a counter",
    "dram.bank_groups": "the same banks wired into other groups; timing within and between them is a datasheet's",
}


def free_reason(path: str) -> str | None:
    """Why changing the value at a dotted path costs nothing here; None if it has a cost."""
    return next((reason for pattern, reason in FREE.items() if fnmatchcase(path, pattern)), None)


def free_lines(paths: Iterable[str]) -> list[str]:
    """A line for each free one of some paths."""
    reasons = {path: free_reason(path) for path in paths}
    return [f"{path} costs nothing here: {reason}" for path, reason in reasons.items() if reason is not None]
