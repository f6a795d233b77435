"""Independent simulations in a few processes."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Job = TypeVar("_Job")
_Done = TypeVar("_Done")


def in_processes(work: Callable[[_Job], _Done], jobs: Iterable[_Job], processes: int) -> Iterator[_Done]:
    """``work`` of each job, in order; with one process without leaving this one.

    ``work`` must be a function of a module. With more than one process a script's entry needs ``if __name__ == "__main__"``.
    An interrupt (Ctrl-C) reaches this process alone: it ends the others, without a word from them, and goes on.
    """
    if processes <= 1:
        yield from map(work, jobs)
        return
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    workers: list[multiprocessing.process.BaseProcess] = []
    try:
        with _interrupts_ignored():  # by the workers, which inherit it
            running = [pool.submit(work, job) for job in jobs]
            workers = list((pool._processes or {}).values())
        for one in running:
            yield one.result()
    except BaseException:
        # Not cancelled: what waits is told that its worker is gone, without a word on the terminal.
        for worker in workers:
            worker.terminate()
        raise
    finally:
        pool.shutdown()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
