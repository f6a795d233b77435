"""How latency answers to one parameter at a time."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pimsim.config.load import load_hardware
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


def sensitivity(hardware: Sequence[str], workload: str, tokens: int, processes: int = 1) -> pd.DataFrame:
    """Simulate the first ``tokens`` tokens of ``workload`` with each parameter multiplied by each factor.

    Points that make no device or do not hold the model have no latency and say why in ``note``.
    """
    points = [(name, path, value, factor) for name in hardware for path, value in _nominal(name).items() for factor in FACTORS]
    jobs = [RunJob(name, workload, tokens, (f"{path}={_scaled(value, factor)}",)) for name, path, value, factor in points]
    runs = run_all([RunJob(name, workload, tokens) for name in hardware] + jobs, processes)
    reference = {run.job.hardware: run.result.latency_s for run in runs[: len(hardware)] if run.result}
    rows: list[tuple[object, ...]] = []
    for name, latency in reference.items():
        for path, value in _nominal(name).items():
            rows.append((name, workload, tokens, path, PARAMETERS[path], 1.0, value, latency, 1.0, ""))
    for (name, path, value, factor), run in zip(points, runs[len(hardware) :], strict=True):
        seconds = run.result.latency_s if run.result else None
        relative = seconds / reference[name] if seconds and name in reference else None
        shown = PARAMETERS[path], factor, _scaled(value, factor), seconds, relative, run.reason.partition("\n")[0]
        rows.append((name, workload, tokens, path, *shown))
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["path", "factor"], kind="stable", ignore_index=True)


def _nominal(hardware: str) -> dict[str, float | int]:
    device = load_hardware(hardware)
    return {
        "asic.clock_ghz": device.asic.clock_ghz,
        "link.gbit_per_s_per_pin": device.link.gbit_per_s_per_pin,
        "dram.channels": device.organization.channels,
        "pim.global_buffer_bytes": device.pim.global_buffer_bytes,
        "dram.timing.nRP": device.timing["nRP"],
    }


def _scaled(value: float | int, factor: float) -> float | int:
    return max(1, round(value * factor)) if isinstance(value, int) else value * factor
