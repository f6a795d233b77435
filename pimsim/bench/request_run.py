"""Time and peak memory of one request, simulated in a process of its own.

``python -m pimsim.bench.request_run JOB`` is that process: it reads a job as JSON and prints its figures as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from pimsim.bench.measure import Elapsed, peak_memory_bytes, timed
from pimsim.errors import BenchError
from pimsim.result.run_result import RunResult
from pimsim.simulation import simulate

HARDWARE = "pim_gpt"


@dataclass(frozen=True)
class RequestJob:
    """A request to measure. ``warm``: compiled code is loaded, by a request of one token, before the clock starts."""

    workload: str
    tokens: int
    settings: tuple[str, ...] = ()
    warm: bool = True


@dataclass(frozen=True)
class RequestFigures:
    """What a request took.

    ``wall_s`` and ``cpu_s``: from two descriptions to a result; ``kernel_s``: the part of it in the compiled engine.
    ``process_*``: the whole process, with the interpreter's start, imports and the loading or compiling of kernels.
    ``commands``: DRAM commands of all channels; ``channel_cycles``: command-clock cycles summed over the channels.
    """

    workload: str
    tokens: int
    latency_s: float
    wall_s: float
    cpu_s: float
    kernel_s: float
    process_wall_s: float
    process_cpu_s: float
    commands: int
    commands_per_s: float
    channel_cycles: int
    channel_cycles_per_s: float
    peak_memory_bytes: int | None


def run_in_fresh_process(job: RequestJob, cache_folder: str | None = None) -> RequestFigures:
    """Figures of ``job``; ``cache_folder`` replaces the folder of compiled kernels. Raises BenchError if the process fails."""
    environment = dict(os.environ)
    if cache_folder is not None:
        environment["NUMBA_CACHE_DIR"] = cache_folder
    command = [sys.executable, "-m", "pimsim.bench.request_run", json.dumps(asdict(job))]
    done, elapsed = timed(lambda: subprocess.run(command, capture_output=True, text=True, env=environment))
    if done.returncode:
        raise BenchError(f"{job.workload}, {job.tokens} tokens: {last_words(done)}")
    return RequestFigures(**{**json.loads(done.stdout), "process_wall_s": elapsed.wall_s})


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """How a failed process ended, and the last line it wrote."""
    lines = (done.stderr or done.stdout or "").strip().splitlines()
    return f"process ended with code {done.returncode}: {lines[-1] if lines else 'no message'}"


def figures(job: RequestJob, result: RunResult, elapsed: Elapsed) -> dict[str, Any]:
    """All figures that the process itself can know; ``process_cpu_s`` is its processor time so far."""
    commands, channel_cycles = result.engine["commands"], result.dram_cycles * len(result.cycle_breakdown)
    return {
        "workload": job.workload,
        "tokens": job.tokens,
        "latency_s": result.latency_s,
        "wall_s": elapsed.wall_s,
        "cpu_s": elapsed.cpu_s,
        "kernel_s": result.engine["kernel_s"],
        "process_cpu_s": _process_cpu_s(),
        "commands": commands,
        "commands_per_s": commands / elapsed.wall_s,
        "channel_cycles": channel_cycles,
        "channel_cycles_per_s": channel_cycles / elapsed.wall_s,
        "peak_memory_bytes": peak_memory_bytes(),
    }


def _process_cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def main() -> None:
    """Entry point of the process."""
    job = RequestJob(**json.loads(sys.argv[1]))
    if job.warm:
        simulate(HARDWARE, job.workload, 1, 1, settings=job.settings)
    result, elapsed = timed(lambda: simulate(HARDWARE, job.workload, job.tokens, 1, settings=job.settings))
    print(json.dumps(figures(job, result, elapsed)))


if __name__ == "__main__":
    main()
