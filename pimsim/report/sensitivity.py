"""How latency answers to one parameter at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from pimsim.config.device import Device
from pimsim.config.load import load_hardware, split_overrides
from pimsim.report.runs import RunJob, run_all

FACTORS = (0.125, 0.25, 0.5, 2.0, 4.0, 8.0)
PARAMETERS = {
    "asic.clock_ghz": "ASIC clock",
    "link.gbit_per_s_per_pin": "pin rate",
    "dram.channels": "channels",
    "pim.global_buffer_bytes": "global buffer",
    "dram.timing.nRP": "precharge time tRP",
}
COLUMNS = ["hardware", "workload", "tokens", "path", "parameter", "factor", "value", "latency_s", "relative_latency", "note"]


def sensitivity(jobs: Sequence[RunJob], tokens: int, processes: int = 1) -> pd.DataFrame:
    """Simulate the first ``tokens`` tokens of each job with each parameter multiplied by each factor.

    Points that make no device or do not hold the model have no latency and say why in ``note``.
    """
    jobs = [replace(job, tokens=tokens) for job in jobs]
    devices = [load_hardware(job.hardware, split_overrides(job.settings)[0]) for job in jobs]
    points = [
        (job, device.name, path, value, factor)
        for job, device in zip(jobs, devices, strict=True)
        for path, value in _nominal(device).items()
        for factor in FACTORS
    ]
    changed = [
        replace(job, settings=(*job.settings, f"{path}={_scaled(value, factor)}")) for job, _, path, value, factor in points
    ]
    runs = run_all([*jobs, *changed], processes)
    rows: list[tuple[object, ...]] = []
    reference: dict[str, float] = {}
    for job, device, run in zip(jobs, devices, runs, strict=False):
        if run.result is None:
            continue
        reference[device.name] = latency = run.result.latency_s
        for path, value in _nominal(device).items():
            rows.append((device.name, job.workload, tokens, path, PARAMETERS[path], 1.0, value, latency, 1.0, ""))
    for (job, name, path, value, factor), run in zip(points, runs[len(jobs) :], strict=True):
        seconds = run.result.latency_s if run.result else None
        relative = seconds / reference[name] if seconds and name in reference else None
        shown = PARAMETERS[path], factor, _scaled(value, factor), seconds, relative, run.reason.partition("\n")[0]
        rows.append((name, job.workload, tokens, path, *shown))
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["path", "factor"], kind="stable", ignore_index=True)


def _nominal(device: Device) -> dict[str, float | int]:
    return {
        "asic.clock_ghz": device.asic.clock_ghz,
        "link.gbit_per_s_per_pin": device.link.gbit_per_s_per_pin,
        "dram.channels": device.organization.channels,
        "pim.global_buffer_bytes": device.pim.global_buffer_bytes,
        "dram.timing.nRP": device.timing["nRP"],
    }


def _scaled(value: float | int, factor: float) -> float | int:
    return max(1, round(value * factor)) if isinstance(value, int) else value * factor
