"""Simulate one point of a sweep: the function that every worker runs, wherever it is."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from typing import Any

from pimsim.config.device import resolve_device
from pimsim.config.hardware import HardwareSpec
from pimsim.config.load import workload_from
from pimsim.errors import PimsimError, ResultError, WorkerError
from pimsim.explore.objectives import row_of
from pimsim.explore.points import Task
from pimsim.result.provenance import code_digest, package_version
from pimsim.simulation import lowering_for, simulate
from pimsim.workload.model import DecoderModel, make_request

DONE, INFEASIBLE, FAILED = "done", "infeasible", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of a point. ``row`` holds the columns of a point that is done; ``reason`` says why another is not.

    ``version`` and ``code`` say which pimsim computed it: no outcome of another is kept.
    ``wall_s`` is the worker's time for the point, ``engine_s`` the part of it spent in the simulation itself.
    """

    key: str
    status: str
    row: dict[str, Any] | None = None
    reason: str | None = None
    traceback: str | None = None
    wall_s: float = 0.0
    engine_s: float = 0.0
    version: str = ""
    code: str = ""


def signature() -> tuple[str, str]:
    """Version and digest of the pimsim that runs here."""
    return package_version(), code_digest()


def check_code(outcome: Outcome) -> None:
    """Raise WorkerError unless ``outcome`` was computed by the very code that runs here."""
    version, code = getattr(outcome, "version", ""), getattr(outcome, "code", "")
    if (version, code) != signature():
        other = f"pimsim {version or 'of unknown version'}" + (" of other code" if version == package_version() else "")
        raise WorkerError(
            f"a worker runs {other}, this is {package_version()}: its results would differ and are not stored; "
            "update it and run again: points finished before are kept"
        )


def why_not(task: Task) -> str | None:
    """Why ``task`` cannot run, found by placing its model but simulating nothing; None if it can."""
    try:
        device = resolve_device(HardwareSpec.model_validate(task.hardware), {}, "hardware")
        spec = workload_from(dict(task.workload), "workload")
        lowering_for(device, DecoderModel(spec.model), make_request(spec, task.tokens, task.prompt))
    except PimsimError as error:
        return str(error)
    return None


def evaluate(task: Task) -> Outcome:
    """Simulate ``task``, and sign the outcome with the version and the code that ran."""
    return replace(_evaluate(task), version=package_version(), code=code_digest())


def _evaluate(task: Task) -> Outcome:
    """Simulate ``task``. Never raises: an impossible point is infeasible, an unforeseen error a failure with its traceback."""
    began = time.perf_counter()
    try:
        hardware = HardwareSpec.model_validate(task.hardware)
        device = resolve_device(hardware, {}, hardware.name)
        result = simulate(device, workload_from(dict(task.workload), "workload"), task.tokens, task.prompt)
        row = row_of(result, hardware)
    except ResultError as error:
        return Outcome(task.key, FAILED, None, str(error), traceback.format_exc(), time.perf_counter() - began)
    except PimsimError as error:
        return Outcome(task.key, INFEASIBLE, reason=str(error), wall_s=time.perf_counter() - began)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(task.key, FAILED, None, reason, traceback.format_exc(), time.perf_counter() - began)
    return Outcome(task.key, DONE, row, wall_s=time.perf_counter() - began, engine_s=float(result.engine["wall_s"]))
