"""Simulate one point of a sweep: the function that every worker runs, wherever it is."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import Any

from pimsim.config.device import resolve_device
from pimsim.config.hardware import HardwareSpec
from pimsim.config.load import workload_from
from pimsim.errors import PimsimError
from pimsim.explore.objectives import row_of
from pimsim.explore.points import Task
from pimsim.simulation import simulate

DONE, INFEASIBLE, FAILED = "done", "infeasible", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of a point. ``row`` holds the columns of a point that is done; ``reason`` says why another is not.

    ``wall_s`` is the worker's time for the point, ``engine_s`` the part of it spent in the simulation itself.
    """

    key: str
    status: str
    row: dict[str, Any] | None = None
    reason: str | None = None
    traceback: str | None = None
    wall_s: float = 0.0
    engine_s: float = 0.0


def evaluate(task: Task) -> Outcome:
    """Simulate ``task``. Never raises: an impossible point is infeasible, an unforeseen error a failure with its traceback."""
    began = time.perf_counter()
    try:
        hardware = HardwareSpec.model_validate(task.hardware)
        device = resolve_device(hardware, {}, hardware.name)
        result = simulate(device, workload_from(task.workload, "workload"), task.tokens, task.prompt)
        row = row_of(result, hardware)
    except PimsimError as error:
        return Outcome(task.key, INFEASIBLE, reason=str(error), wall_s=time.perf_counter() - began)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(task.key, FAILED, None, reason, traceback.format_exc(), time.perf_counter() - began)
    return Outcome(task.key, DONE, row, wall_s=time.perf_counter() - began, engine_s=float(result.engine["wall_s"]))
