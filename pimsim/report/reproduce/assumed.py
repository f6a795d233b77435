"""What each assumed constant does to latency and energy: low and high of its band, or 20 % less and more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from pimsim.config.load import load_hardware
from pimsim.report.runs import RunJob, run_all
from pimsim.result.run_result import RunResult
from pimsim.simulation import Execution, execute

SPREAD = 0.2
# Words and switches have no 20 %: the other choice instead.
OTHER_CHOICE: Mapping[str, tuple[str, ...]] = {
    "dram.refresh.mode": ("dram.refresh.mode=per_bank",),
    "pim.accumulate": ("pim.accumulate=bf16",),
    "pim.result_dtype": ("pim.result_dtype=bf16",),
    "pim.all_bank_activation.grouped_by": ("pim.all_bank_activation.grouped_by=4",),
    "pim.all_bank_activation.obey_tFAW": (
        "pim.all_bank_activation.grouped_by=4",
        "pim.all_bank_activation.obey_tFAW=true",
    ),
}
COLUMNS = [
    "constant", "nominal", "low", "high", "latency_low_percent", "latency_high_percent", "energy_low_percent",
    "energy_high_percent", "how", "source",
]  # fmt: skip


def assumed_effects(hardware: str, workload: str, tokens: int, processes: int = 1) -> pd.DataFrame:
    """One row for each assumed value: change of latency and nominal energy, in percent, at its low and high setting.

    A band takes its ends; a number 20 % less and more (whole numbers at least one step); a word its other choice as
    ``high``. The largest effect comes first. A setting that makes no device has no figure and says why in ``how``.
    """
    variations = _variations(hardware)
    jobs = {
        settings: RunJob(hardware, workload, tokens, settings)
        for variation in variations
        for settings in variation["settings"]
        if settings and not _energy_only(variation["constant"])
    }
    base = execute(hardware, workload, tokens)
    found = dict(zip(jobs, run_all(list(jobs.values()), processes), strict=True))
    nominal, rows = base.result(), []
    for variation in variations:
        row = {name: variation[name] for name in ("constant", "nominal", "low", "high", "how", "source")}
        for end, settings in zip(("low", "high"), variation["settings"], strict=True):
            if not settings:
                continue
            run = found.get(settings)
            result = _with_constants(base, hardware, settings) if run is None else run.result
            if result:
                row[f"latency_{end}_percent"] = (result.latency_s / nominal.latency_s - 1) * 100
                row[f"energy_{end}_percent"] = (result.energy_j["nominal"] / nominal.energy_j["nominal"] - 1) * 100
            elif run:
                row["how"] += f"; no figure: {run.reason.partition(': ')[2] or run.reason}".replace("\n", " ")
        rows.append(row)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    effect = frame[[c for c in COLUMNS if c.endswith("percent")]].abs().max(axis=1).fillna(0)
    return frame.loc[effect.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _energy_only(path: str) -> bool:
    """True for constants that no issue time depends on: the same counters, another ledger."""
    return path.startswith(("energy.", "dram.currents."))


def _with_constants(base: Execution, hardware: str, settings: tuple[str, ...]) -> RunResult:
    return replace(base, device=load_hardware(hardware, settings)).result()


def _variations(hardware: str) -> list[dict[str, Any]]:
    device = load_hardware(hardware)
    values = device.spec.model_dump()
    found = []
    for path, source in sorted(device.sources.items()):
        if not source.startswith("assumed") or path.endswith("source"):
            continue
        value: Any = values
        for part in path.split("."):
            value = value[part]
        found.append({"constant": path, "source": source.removeprefix("assumed: "), **_ends(path, value)})
    return found


def _ends(path: str, value: Any) -> dict[str, Any]:
    if path in OTHER_CHOICE:
        other = ", ".join(setting.rpartition(".")[2] for setting in OTHER_CHOICE[path])
        return {"nominal": value, "low": "", "high": other, "settings": ((), OTHER_CHOICE[path]), "how": "the other choice"}
    if isinstance(value, dict):
        low, high, how, value = value["low"], value["high"], "its band", value["nominal"]
        if low == value == high:
            low, high, how = value * (1 - SPREAD), value * (1 + SPREAD), "20 %"
    elif isinstance(value, int) or (path.split(".")[-1].startswith("n") and path.startswith("dram.timing")):
        step = max(1, round(abs(value) * SPREAD))
        low, high, how = max(0, int(value) - step), int(value) + step, "20 %, at least 1"
    else:
        low, high, how = value * (1 - SPREAD), value * (1 + SPREAD), "20 %"
    low, high = (round(end, 9) if isinstance(end, float) else end for end in (low, high))
    return {"nominal": value, "low": low, "high": high, "settings": ((f"{path}={low}",), (f"{path}={high}",)), "how": how}
