"""Every simulated run against every baseline: ideal roofline, modelled stacks with error, measured points, each named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from pimsim.baselines.match import match_model
from pimsim.baselines.result import BaselineResult
from pimsim.baselines.roofline import roofline_run
from pimsim.baselines.run import stack_run
from pimsim.baselines.validate import shipped_measurements
from pimsim.config.baseline import Baseline
from pimsim.config.load import load_workload
from pimsim.config.workload import WorkloadSpec
from pimsim.errors import CapacityError
from pimsim.result.run_result import RunResult
from pimsim.workload.model import DecoderModel, Request

STACKS = ("fused", "compiled", "eager")
IDEAL, MEASURED = "ideal roofline", "measured"
METHODS = (IDEAL, *(f"modelled {stack}" for stack in STACKS), MEASURED)
COLUMNS = (
    "hardware", "workload", "baseline", "method", "how", "pim_token_latency_s", "baseline_token_latency_s", "speedup",
    "speedup_low", "speedup_high", "pim_energy_j", "baseline_energy_j", "energy_gain", "energy_gain_low", "energy_gain_high",
)  # fmt: skip


def comparison_table(runs: Iterable[tuple[WorkloadSpec, RunResult]], baselines: list[Baseline]) -> pd.DataFrame:
    """One row for each run, baseline and method. ``runs`` are (workload, result).

    Speedups are of the whole request; of measured points, of the mean time per token, for their lengths differ. A stack's low
    and high take its validation error; those of energy also the band of every power and energy constant.
    """
    rows = [row for spec, run in runs for baseline in baselines for row in _rows(spec, run, baseline)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(spec: WorkloadSpec, run: RunResult, baseline: Baseline) -> Iterator[dict[str, Any]]:
    model = DecoderModel(spec.model)
    request = Request(run.prompt_tokens, run.generated_tokens)
    try:
        yield _row(run, baseline, IDEAL, roofline_run(baseline, model, request))
        for stack in STACKS:
            yield _row(run, baseline, f"modelled {stack}", stack_run(baseline, model, request, stack))
    except CapacityError as error:
        yield _named(run, baseline, "does not fit", str(error))
    yield from _measured(spec, run, baseline)


def _row(run: RunResult, baseline: Baseline, method: str, found: BaselineResult) -> dict[str, Any]:
    low, high = found.error_band or (1.0, 1.0)
    speedup, energy, pim = found.latency_s / run.latency_s, found.energy_j, run.energy_j
    return _named(run, baseline, method, found.label) | {
        "baseline_token_latency_s": found.token_latency_s,
        "speedup": speedup,
        "speedup_low": speedup * low,
        "speedup_high": speedup * high,
        "baseline_energy_j": energy.nominal,
        "energy_gain": energy.nominal / pim["nominal"],
        "energy_gain_low": energy.low / pim["high"],
        "energy_gain_high": energy.high / pim["low"],
    }


def _measured(spec: WorkloadSpec, run: RunResult, baseline: Baseline) -> Iterator[dict[str, Any]]:
    for row in shipped_measurements():
        if row.run is None or row.run.baseline.name != baseline.name or row.run.devices != 1 or row.run.weight_bytes < 2:
            continue
        found = match_model(row.texts["model"])
        if found is None or found.linear_only or not _same_layers(load_workload(found.workload), spec):
            continue
        speedup = row.measured_ms * 1e-3 / run.token_latency_s["mean"]
        how = f"{row.texts['model']}, {row.texts['framework']}, {row.texts['dtype']}, mean context {row.context:g} tokens ({row.texts['source']})"
        yield _named(run, baseline, MEASURED, how) | {
            "baseline_token_latency_s": row.measured_ms * 1e-3,
            "speedup": speedup,
            "speedup_low": speedup,
            "speedup_high": speedup,
        }


def _same_layers(measured: WorkloadSpec, simulated: WorkloadSpec) -> bool:
    """True for models whose layers have matrices of equal shapes: GPT-350M was measured where GPT-3 medium was not."""
    one, two = measured.model, simulated.model
    alike = ("layers", "d_model", "norm", "feed_forward", "residual", "blocks", "pattern")
    return all(getattr(one, field) == getattr(two, field) for field in alike)


def _named(run: RunResult, baseline: Baseline, method: str, how: str) -> dict[str, Any]:
    return {
        "hardware": run.hardware,
        "workload": run.workload,
        "baseline": baseline.name,
        "method": method,
        "how": how,
        "pim_token_latency_s": run.token_latency_s["mean"],
        "pim_energy_j": run.energy_j["nominal"],
    }
