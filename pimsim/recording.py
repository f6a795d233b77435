"""One token of a request, recorded command by command after the tokens before it were simulated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pimsim.config.device import Device
from pimsim.config.workload import WorkloadSpec
from pimsim.engine.fast import BATCH_STEPS, FastEngine, StepRecord
from pimsim.errors import RequestError
from pimsim.mapping.placement import Placement
from pimsim.program.lower import Lowering
from pimsim.simulation import lowering_for, resolve, step_programs
from pimsim.workload.feeding import count_steps
from pimsim.workload.model import DecoderModel, make_request


@dataclass(frozen=True)
class TokenRecord:
    """A recorded token: on what it ran, where its tensors lie, and every burst's issue."""

    device: Device
    workload: WorkloadSpec
    placement: Placement
    lowering: Lowering
    token: int
    step: StepRecord


def record_token(
    hardware: str | Path | Device, workload: str | Path | WorkloadSpec, token: int, prompt: int | None = None,
    settings: Iterable[str] = (),
) -> TokenRecord:  # fmt: skip
    """Record the ``token``-th generated token (from 1); all steps before it are simulated, so that state and clocks are right.

    Raises RequestError if the reserved context does not reach that far.
    """
    device, spec = resolve(hardware, workload, settings)
    if token < 1:
        raise RequestError(f"{spec.name}: token {token}: must be at least 1, the first generated token")
    request = make_request(spec, token, prompt)
    lowering = lowering_for(device, DecoderModel(spec.model), request)
    programs, engine = step_programs(lowering, request), FastEngine(device)
    before = count_steps(request) - 1
    while before:
        batch = list(islice(programs, min(before, BATCH_STEPS)))
        engine.run_batch(batch)
        before -= len(batch)
    return TokenRecord(device, spec, lowering.placement, lowering, token, engine.record_step(next(programs)))
