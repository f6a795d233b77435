"""Notice when kernels are compiled: it happens once on a machine, takes a while, and is no part of a simulation's time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event


class _Compilation(event.Listener):
    """``seconds`` spent in compiling; ``started`` is called once, when the first kernel is not found compiled."""

    def __init__(self, started: Callable[[], None]) -> None:
        self.seconds = 0.0
        self._started, self._depth, self._began = started, 0, 0.0

    def on_start(self, event: Any) -> None:
        """A kernel (or one that it calls) begins to compile."""
        if self._depth == 0:
            self._began = time.perf_counter()
            if self.seconds == 0.0:
                self._started()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        """A kernel is compiled."""
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._began


@contextmanager
def watch_compilation(started: Callable[[], None]) -> Iterator[_Compilation]:
    """Inside, ``started`` is called when a kernel has to be compiled; afterwards ``seconds`` of the value says for how long."""
    listener = _Compilation(started)
    event.register("numba:compile", listener)
    try:
        yield listener
    finally:
        event.unregister("numba:compile", listener)
