"""Worker processes on this machine: one thread each, one cache of compiled kernels, replaced when they are lost."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pimsim
from pimsim.engine.fast import kernels_are_compiled
from pimsim.explore.evaluate import DONE, FAILED, Outcome
from pimsim.explore.points import Task

MAX_ATTEMPTS = 3
_THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_TAIL_BYTES = 4000


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _module_folders() -> list[str]:
    """Where the driver finds modules, without an empty entry (the current folder) and with its own package last, if not there."""
    return list(
        dict.fromkeys([*(os.path.abspath(folder) for folder in sys.path if folder), str(Path(pimsim.__file__).parents[1])])
    )


@dataclass(eq=False)
class _Worker:
    """A process, the task it is at, and the file that takes its error output."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    listener: threading.Thread | None = None
    task: Task | None = None

    def error_tail(self) -> str:
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return self.errors.read().decode(errors="replace")

    def end(self) -> int:
        """End the process if it is still there, and let go of its pipes; returns its exit code."""
        self.process.kill()
        code = self.process.wait()
        assert self.listener is not None and self.process.stdin is not None and self.process.stdout is not None
        self.listener.join()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        return code


class LocalWorkers:
    """Up to ``count`` processes. While the kernels are not compiled yet, one compiles them and the others wait."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or cores()
        self._workers: list[_Worker] = []
        self._news: queue.Queue[tuple[_Worker, Outcome | None]] = queue.Queue()
        self._attempts: dict[str, int] = {}
        self._compiled = kernels_are_compiled()

    @property
    def busy(self) -> int:
        """Points in flight."""
        return sum(worker.task is not None for worker in self._workers)

    @property
    def has_room(self) -> bool:
        """True if another task can be taken at once."""
        return self.busy < (self.count if self._compiled else 1)

    def submit(self, task: Task) -> None:
        """Give ``task`` to an idle worker, started if need be."""
        idle = next((worker for worker in self._workers if worker.task is None), None) or self._start()
        idle.task = task
        assert idle.process.stdin is not None
        with contextlib.suppress(
            BrokenPipeError
        ):  # a worker that is gone: its listener reports that, and the task is tried again
            pickle.dump(task, idle.process.stdin)
            idle.process.stdin.flush()

    def wait(self) -> Outcome:
        """The next finished point. A lost worker's point is tried again, and fails after the third time."""
        while True:
            worker, outcome = self._news.get()
            task = worker.task
            worker.task = None
            if outcome is not None:
                self._compiled = self._compiled or outcome.status == DONE
                return outcome
            self._workers.remove(worker)
            code, tail = worker.end(), worker.error_tail()
            worker.errors.close()
            if task is None:
                continue
            self._attempts[task.key] = self._attempts.get(task.key, 0) + 1
            if self._attempts[task.key] >= MAX_ATTEMPTS:
                ended = f"signal {-code}" if code < 0 else f"exit code {code}"
                reason = f"its worker process was lost {MAX_ATTEMPTS} times, the last time by {ended}"
                return Outcome(task.key, FAILED, reason=reason, traceback=tail or reason)
            self.submit(task)

    def close(self) -> None:
        """End all workers at once; points in flight are given up."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.end()
            worker.errors.close()
        self._workers.clear()

    def _start(self) -> _Worker:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        # -P: the current folder is not searched for modules; what the driver imports from is, in its order.
        process = subprocess.Popen(
            [sys.executable, "-P", "-X", "faulthandler", "-c", "from pimsim.explore.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": os.pathsep.join(_module_folders())},
        )
        worker = _Worker(process, errors)
        self._workers.append(worker)
        worker.listener = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.listener.start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Pass on every outcome of ``worker``, and None when it has ended."""
        stream = worker.process.stdout
        assert stream is not None
        while True:
            try:
                outcome = pickle.load(stream)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                self._news.put((worker, None))
                return
            self._news.put((worker, outcome))
