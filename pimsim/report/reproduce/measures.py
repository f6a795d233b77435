"""Figures of a run that PIM-GPT published and a RunResult does not have: data movement, model constants, long contexts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pimsim.baselines.costs import step_costs
from pimsim.config.device import Device
from pimsim.config.load import load_workload
from pimsim.engine.fast import FastEngine
from pimsim.mapping.placement import place
from pimsim.program.lower import Lowering
from pimsim.result.run_result import RunResult
from pimsim.simulation import resolve
from pimsim.units import ps_to_s
from pimsim.workload.counts import layer_matrix_elements, step_macs
from pimsim.workload.model import BYTES_PER_ELEMENT, DecoderModel, Request


def conventional_bytes(model: DecoderModel, request: Request) -> float:
    """Bytes that a GDDR6 device without MAC units would move over its pins for a request: of every step, each weight that is
    read once, and K and V of the whole context. Prompt steps without LM head are not told apart: meant for a prompt of one.
    """
    mean_context = (request.steps + 1) / 2
    a_step = sum(cost.count * (cost.weights + cost.kv + cost.kv_slope * mean_context) for cost in step_costs(model))
    return a_step * BYTES_PER_ELEMENT * request.steps


def data_movement_reduction(workload: str, run: RunResult) -> float:
    """``conventional_bytes`` over the bytes that the run moved over the pins."""
    model = DecoderModel(load_workload(workload).model)
    return conventional_bytes(model, Request(run.prompt_tokens, run.generated_tokens)) / run.external_bytes


def block_weights(model: DecoderModel) -> int:
    """Weights of the layers' matrices."""
    return layer_matrix_elements(model)


def operations_per_parameter(model: DecoderModel, context: int) -> float:
    """Additions and multiplications of all matrix products of a step over the parameters they and the rest have."""
    return 2 * step_macs(model, context) / model.parameters


def latency_at(hardware: str, workload: str, max_context: int, contexts: Sequence[int]) -> pd.DataFrame:
    """Simulate single tokens at ``contexts`` with K and V reserved for ``max_context``.

    Columns: workload, context_tokens, ms_per_token. Raises CapacityError if the reserved context does not fit.
    """
    device, spec = resolve(hardware, workload, (f"workload.model.max_context={max_context}",))
    model = DecoderModel(spec.model)
    lowering, engine = Lowering(device, model, place(device, model)), FastEngine(device)
    rows = []
    for context in contexts:
        (step_ps,) = engine.run_batch([lowering.step(context, True)])
        rows.append((spec.name, context, ps_to_s(int(step_ps)) * 1e3))
    return pd.DataFrame(rows, columns=["workload", "context_tokens", "ms_per_token"])


def peak_mac_per_ns(device: Device) -> float:
    """Multiply-accumulates a ns of all MAC units."""
    shape = device.organization
    return shape.channels * shape.banks * device.pim.mac_lanes / device.mac_interval_ck * 1000 / device.timing.t_ck_ps
