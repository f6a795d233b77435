"""Simulated runs of a report: results with the time of every step, and what could not be run and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import CapacityError, ConfigError, MappingError
from pimsim.report.parallel import in_processes
from pimsim.result.run_result import RunResult
from pimsim.simulation import execute


@dataclass(frozen=True)
class RunJob:
    """What to simulate: names or paths, tokens to generate and in the prompt (the workload's own if None), ``path=value`` settings."""

    hardware: str
    workload: str
    tokens: int | None = None
    settings: tuple[str, ...] = ()
    prompt: int | None = None


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A job with its result and the seconds of each step; ``reason`` instead where the device cannot run it."""

    job: RunJob
    result: RunResult | None
    step_s: NDArray[np.float64]
    reason: str = ""


def run_all(jobs: Sequence[RunJob], processes: int = 1) -> list[FinishedRun]:
    """Simulate every job."""
    return list(in_processes(run_job, jobs, processes))


def run_job(job: RunJob) -> FinishedRun:
    """Simulate one job. A model that does not fit, or a setting that makes no device, is a reason and not an error."""
    try:
        execution = execute(job.hardware, job.workload, job.tokens, job.prompt, settings=job.settings)
    except (CapacityError, ConfigError, MappingError) as error:
        return FinishedRun(job, None, np.zeros(0), str(error))
    return FinishedRun(job, execution.result(), execution.outcome.step_ps.astype(np.float64) * 1e-12)
