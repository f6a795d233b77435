"""Time and memory: wall clock beside processor time, so that other load on the machine can be told from the program's own."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pimsim.result.provenance import git_commit, package_version
from pimsim.units import BYTES_PER_KIB

T = TypeVar("T")
_STATUS = Path("/proc/self/status")


class Elapsed(NamedTuple):
    """Seconds that passed, and seconds of processor time of this process's threads in them."""

    wall_s: float
    cpu_s: float


def timed(function: Callable[[], T]) -> tuple[T, Elapsed]:
    """What ``function`` returns, and the time it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    value = function()
    return value, Elapsed(time.perf_counter() - wall, time.process_time() - cpu)


def median(runs: list[Elapsed]) -> Elapsed:
    """Median wall and median processor time of several runs."""
    return Elapsed(statistics.median(run.wall_s for run in runs), statistics.median(run.cpu_s for run in runs))


def peak_memory_bytes() -> int | None:
    """Most memory this process has held at once (resident set); None where the system does not tell.

    Linux's own counter for the running program is read where there is one: ``getrusage`` also counts what the parent
    held when it started this process.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * BYTES_PER_KIB
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * BYTES_PER_KIB


def environment() -> dict[str, Any]:
    """What the figures depend on: machine, versions, and the load when the measurement began."""
    return {
        "package_version": package_version(),
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "numba": metadata.version("numba"),
        "simpy": metadata.version("simpy"),
        "platform": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_average_1_min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
