"""Arithmetic, traffic and time of every operation on PIM, GPU and CPU: the points and roofs of a roofline plot."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from pimsim.baselines.costs import flop, moved_elements
from pimsim.baselines.stacks import framework_of, kernels_of
from pimsim.baselines.steptime import COMPUTE_EFFICIENCY, Run, features
from pimsim.baselines.validate import shipped_calibration
from pimsim.config.baseline import BYTES_PER_DTYPE, Baseline
from pimsim.config.device import Device
from pimsim.result.run_result import RunResult
from pimsim.units import ck_to_s
from pimsim.workload.model import BYTES_PER_ELEMENT, DecoderModel
from pimsim.workload.ops import Op

STACK = "compiled"
COLUMNS = ["device", "class", "op", "kind", "flop", "bytes", "time_s", "flop_per_byte", "gflop_per_s"]
_KINDS = {"vmm": "matrix product", "scores": "attention product", "context": "attention product"}
_Ops = list[tuple[Op, int]]


def roofs(devices: list[Device], baselines: list[Baseline]) -> pd.DataFrame:
    """Columns: device, class, peak_gflop_per_s, gb_per_s. PIM's bandwidth is that of all banks' columns into the MAC units."""
    rows = []
    for device in devices:
        shape, per_ck = device.organization, device.organization.channels * device.organization.banks / device.mac_interval_ck
        per_s = per_ck / ck_to_s(1, device.timing.t_ck_ps) / 1e9
        rows.append((device.name, "pim", 2 * device.pim.mac_lanes * per_s, shape.column_bytes * per_s))
    for baseline in baselines:
        peak, bandwidth = baseline.flop_per_s() / 1e9, baseline.bytes_per_s / 1e9
        rows.append((baseline.name, baseline.spec.device_class, peak, bandwidth))
    return pd.DataFrame(rows, columns=["device", "class", "peak_gflop_per_s", "gb_per_s"])


def op_points(runs: list[RunResult], model: DecoderModel, baselines: list[Baseline]) -> pd.DataFrame:
    """Mean step of the request: one row for each device and operation (summed over layers) that does arithmetic.

    PIM time is the operation's time on the critical path; a GPU's or CPU's is that of the ``compiled`` stack's model without
    the host. ``runs`` are of the same model and request.
    """
    rows: list[tuple[object, ...]] = []
    steps = runs[0].prompt_tokens + runs[0].generated_tokens - 1
    context = round((steps + 1) / 2)
    ops = [(op, section.times) for section in model.sections() for op in section.ops]
    for run in runs:
        rows += _points(
            run.hardware, "pim", ops, context, {op: s / steps for op, s in run.critical_path_s.items()}, BYTES_PER_ELEMENT
        )
    for baseline in baselines:
        element_bytes = BYTES_PER_DTYPE[baseline.spec.dtype]
        times = _stack_times(baseline, model, ops, context, element_bytes)
        rows += _points(baseline.name, baseline.spec.device_class, ops, context, times, element_bytes)
    return pd.DataFrame(rows, columns=COLUMNS)


def _points(
    device: str, device_class: str, ops: _Ops, context: int, times: dict[str, float], element_bytes: int
) -> Iterator[tuple[object, ...]]:
    for label in dict.fromkeys(op.label for op, _ in ops):
        same = [(op, count) for op, count in ops if op.label == label]
        work = sum(count * flop(op, context) for op, count in same)
        moved = sum(count * moved_elements(op, context) for op, count in same) * element_bytes
        time_s = times.get(label, 0.0)
        if work and moved and time_s:
            kind = _KINDS.get(same[0][0].kind, "element-wise")
            yield device, device_class, label, kind, work, moved, time_s, work / moved, work / time_s / 1e9


def _stack_times(baseline: Baseline, model: DecoderModel, ops: _Ops, context: int, element_bytes: int) -> dict[str, float]:
    framework, parameters = framework_of(STACK), shipped_calibration()
    needed = features(Run(baseline, model, framework, element_bytes), np.array([1.0]))
    bytes_per_s = baseline.bytes_per_s * math.prod(parameters[name] for name in needed.efficiency)
    gap_s = parameters[needed.gap] * 1e-6
    times: dict[str, float] = {}
    for op, count in ops:
        moved = moved_elements(op, context) * element_bytes
        stream_s = max(flop(op, context) / (COMPUTE_EFFICIENCY * baseline.flop_per_s()), moved / bytes_per_s)
        times[op.label] = times.get(op.label, 0.0) + count * (stream_s + kernels_of(framework, op) * gap_s)
    return times
