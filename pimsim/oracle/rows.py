"""The rows that are fed at once: a chain or a tree of tokens after what is kept of one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Bools, Ints


@dataclass(frozen=True, eq=False)
class Rows:
    """``positions`` (rows,); ``parents``: the row that each continues, -1 for the kept context; ``visible`` (rows, rows): whether a
    row attends to another of the feed, itself included; ``length``: of the sequence up to the deepest row.
    """

    positions: Ints
    parents: tuple[int, ...]
    visible: Bools
    length: int

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.parents)


def chain(begin: int, count: int) -> Rows:
    """``count`` tokens in a row, from position ``begin``."""
    visible = np.tri(count, dtype=np.bool_)
    return Rows(begin + np.arange(count), tuple(range(-1, count - 1)), visible, begin + count)


def tree(begin: int, parents: Sequence[int]) -> Rows:
    """Tokens each after its parent, which comes earlier; -1 is the kept context, whose length is ``begin``."""
    count = len(parents)
    depth, visible = np.zeros(count, np.int64), np.eye(count, dtype=np.bool_)
    for row, parent in enumerate(parents):
        if not -1 <= parent < row:
            raise ValueError(f"row {row} has parent {parent}; must be -1 or an earlier row")
        if parent >= 0:
            depth[row] = depth[parent] + 1
            visible[row] |= visible[parent]
    return Rows(begin + depth, tuple(parents), visible, begin + int(depth.max()) + 1)


def everything(count: int) -> Rows:
    """``count`` tokens of an encoder: each sees all."""
    return Rows(np.arange(count), tuple(range(-1, count - 1)), np.ones((count, count), np.bool_), count)
