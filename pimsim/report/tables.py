"""Tables of a report below its figures, and its findings in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pimsim.baselines.validate import leave_one_out
from pimsim.config.describe import entries, shown_value
from pimsim.config.device import Device
from pimsim.config.hardware import HardwareSpec
from pimsim.report.comparison_table import IDEAL, MEASURED, METHODS
from pimsim.report.data import ReportData
from pimsim.report.table import ReportTable, cell


def report_tables(data: ReportData) -> list[ReportTable]:
    """Every table of the report."""
    different = [_differences(data)] if len(data.request.hardware) > 1 else []
    return [_runs(data), _comparison(data), *different, _errors(data), _measured(data), _assumed(data)]


def _table(
    name: str,
    title: str,
    caption: str,
    frame: pd.DataFrame,
    names: Mapping[str, str] | None = None,
    brief: bool = False,
    folded: bool = False,
) -> ReportTable:
    columns = tuple((names or {}).get(str(column), str(column)) for column in frame.columns)
    rows = [[cell(value) for value in row] for row in frame.astype(object).to_numpy().tolist()]
    return ReportTable(name, title, caption, columns, rows, brief, folded)


def _runs(data: ReportData) -> ReportTable:
    rows = [
        {
            "hardware": r.hardware, "workload": r.workload, "tokens": r.generated_tokens, "latency [s]": r.latency_s,
            "ms per token": r.s_per_token * 1e3, "TTFT [ms]": r.ttft_s["mean"] * 1e3, "TPOT [ms]": r.tpot_s["mean"] * 1e3, "p99 [ms]": r.token_latency_s["p99"] * 1e3,
            "streaming floor [s]": r.streaming_floor_s, "energy [J]": r.energy_j["nominal"], "low [J]": r.energy_j["low"],
            "high [J]": r.energy_j["high"], "power [W]": r.average_power_w, "row hits [%]": r.row_hit_rate * 100,
            "MAC use [%]": r.mac_utilisation * 100, "over the pins [GB]": r.external_bytes / 1e9,
        }
        for r in data.runs
    ]  # fmt: skip
    caption = (
        "Energy is that of DRAM, MAC units, link and ASIC, with the low and high end of every constant; "
        "the streaming floor is the time of all multiply-accumulates at full MAC use."
    )
    return _table("runs", "Simulated runs", caption, pd.DataFrame(rows), brief=True)


def _comparison(data: ReportData) -> ReportTable:
    names = {
        "speedup": "speedup [x]", "speedup_low": "low", "speedup_high": "high", "energy_gain": "energy ratio [x]",
        "energy_gain_low": "low ", "energy_gain_high": "high ", "how": "how found",
    }  # fmt: skip
    frame = data.comparison[["hardware", "workload", "baseline", "method", *names]]
    frame = frame[[*frame.columns[:4], *[c for c in names if c != "how"], "how"]]
    return _table(
        "comparison", "Every baseline, named",
        "A speedup means nothing without what it is against. 'does not fit' says why there is no figure.", frame, names,
    )  # fmt: skip


def _errors(data: ReportData) -> ReportTable:
    rows = [
        {"stack": stack, "measured rows": e["rows"], "median error [%]": e["median_abs_error"] * 100, "worst [%]": e["worst_abs_error"] * 100}
        for stack, e in data.stack_errors.items()
    ]  # fmt: skip
    caption = (
        "Predicted against measured decode times, each row predicted without any row of its source: the bars on modelled stacks."
    )
    return _table("stack_errors", "Error of the modelled stacks", caption, pd.DataFrame(rows), brief=True)


def _measured(data: ReportData) -> ReportTable:
    rows = [row.as_dict() for row in leave_one_out()]
    rows = [row for row in rows if row["baseline"] in data.request.baselines]
    caption = (
        "Published decode times on the baselines of this report, of whatever model, beside the stack's prediction without that row. "
        "Only those of a compared workload appear in the figures."
    )
    columns = ["baseline", "model", "dtype", "framework", "stack", "measured_ms", "predicted_ms", "error", "source"]
    return _table("measured", "Measured points", caption, pd.DataFrame(rows, columns=columns))


def _assumed(data: ReportData) -> ReportTable:
    rows = []
    for name in data.request.hardware:
        device = data.request.device(name)
        for path, source in sorted(device.sources.items()):
            if source.startswith("assumed") and not path.endswith("source"):
                rows.append({"hardware": device.name, "value": path, "why": source.removeprefix("assumed: ")})
    columns = ["hardware", "value", "why"]
    caption = "Values without a source at hand, and why they are what they are."
    return _table("assumed", "Assumed values", caption, pd.DataFrame(rows, columns=columns), folded=True)


def _differences(data: ReportData) -> ReportTable:
    devices = [data.request.device(name) for name in data.request.hardware]
    values = [_configuration(device) for device in devices]
    paths = dict.fromkeys(path for one in values for path in one)
    rows = [
        {"value": path, **{device.name: one.get(path, "") for device, one in zip(devices, values, strict=True)}}
        for path in paths
        if len({one.get(path, "") for one in values}) > 1
    ]
    caption = "Every value in which the devices differ, timing in cycles of each one's command clock."
    columns = ["value", *(device.name for device in devices)]
    return _table("differences", "What differs between the devices", caption, pd.DataFrame(rows, columns=columns), folded=True)


def _configuration(device: Device) -> dict[str, str]:
    values = entries(device.spec.model_dump(exclude={"dram": {"timing"}}), device.sources, HardwareSpec)
    shown = {
        one.path: f"{shown_value(one.value)} {one.unit}".strip() for one in values if one.path not in ("name", "description")
    }
    shown["dram.timing.tCK"] = f"{device.timing.t_ck_ps} ps"
    return shown | {f"dram.timing.{name}": f"{cycles} CK" for name, cycles in device.timing.cycles.items()}


def findings(data: ReportData) -> list[str]:
    """Sentences that name, for each device and baseline, the range of speedups against every method."""
    lines = []
    table = data.comparison.dropna(subset=["speedup"])
    for (hardware, baseline), part in table.groupby(["hardware", "baseline"], sort=False):
        said = []
        for method in METHODS:
            rows = part[part.method == method]
            if len(rows):
                low, high = rows.speedup_low.min(), rows.speedup_high.max()
                error = f" ({low:.3g}x to {high:.3g}x with its error)" if method.startswith("modelled") else ""
                noun = {IDEAL: "the ideal roofline", MEASURED: "measured points"}.get(method, f"the {method} stack")
                said.append(f"{rows.speedup.min():.3g}x to {rows.speedup.max():.3g}x against {noun}{error}")
        lines.append(f"{hardware} over {baseline}: " + ", ".join(said) + ".")
    return lines
