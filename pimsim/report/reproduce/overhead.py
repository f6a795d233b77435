"""Which software would give the published speedups: solve for the baseline's time per token, model by model."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from pimsim.baselines.costs import step_costs
from pimsim.baselines.stacks import framework_of, kernel_count
from pimsim.config.baseline import BYTES_PER_DTYPE, Baseline
from pimsim.config.load import load_workload
from pimsim.result.run_result import RunResult
from pimsim.workload.model import DecoderModel


def needed_software(
    runs: Iterable[tuple[str, RunResult]], baseline: Baseline, comparison: pd.DataFrame, low: float, high: float
) -> pd.DataFrame:
    """One row for each model: times per token in ms on PIM, on the ideal roofline and on the eager stack, and what a
    speedup of ``low`` and of ``high`` needs: time per token, overhead beyond the ideal, that overhead for each kernel of an
    eager stack in us, and the part of the device's peak bandwidth that would be drawn, in percent.
    """
    rows = []
    for name, run in runs:
        model = DecoderModel(load_workload(name).model)
        part = comparison[(comparison.workload == run.workload) & (comparison.baseline == baseline.name)].set_index("method")
        pim_ms = run.latency_s * 1e3 / run.generated_tokens
        ideal_ms = part.speedup["ideal roofline"] * pim_ms
        kernels = kernel_count(framework_of("eager"), model)
        stored = sum(cost.count * cost.weights for cost in step_costs(model)) * BYTES_PER_DTYPE[baseline.spec.dtype]
        row = {
            "workload": run.workload,
            "pim_ms": pim_ms,
            "ideal_ms": ideal_ms,
            "eager_ms": part.speedup["modelled eager"] * pim_ms,
        }
        for end, speedup in (("low", low), ("high", high)):
            needed_ms = speedup * pim_ms
            row[f"needed_{end}_ms"] = needed_ms
            row[f"overhead_{end}_ms"] = needed_ms - ideal_ms
            row[f"overhead_{end}_us_per_kernel"] = (needed_ms - ideal_ms) * 1e3 / kernels
            row[f"bandwidth_{end}_percent"] = stored / (needed_ms * 1e-3) / baseline.bytes_per_s * 100
        rows.append(row)
    return pd.DataFrame(rows)
