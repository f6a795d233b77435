"""Independent simulations in a few processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

_Job = TypeVar("_Job")
_Done = TypeVar("_Done")


def in_processes(work: Callable[[_Job], _Done], jobs: Iterable[_Job], processes: int) -> Iterator[_Done]:
    """``work`` of each job, in order; with one process without leaving this one.

    ``work`` must be a function of a module. With more than one process a script's entry needs ``if __name__ == "__main__"``.
    """
    if processes <= 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, jobs)
