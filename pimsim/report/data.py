"""Everything a comparison report shows, simulated and tabulated; nothing is drawn or written here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from pimsim.baselines.validate import leave_source_out, stack_errors
from pimsim.config.baseline import Baseline, load_baseline
from pimsim.config.device import Device
from pimsim.config.load import load_hardware, load_workload, split_overrides
from pimsim.config.workload import WorkloadSpec
from pimsim.errors import CapacityError, ConfigError
from pimsim.report.bank_timeline import layer_timeline
from pimsim.report.breakdown import energy_by_term, latency_by_cause, latency_by_op
from pimsim.report.comparison_table import comparison_table
from pimsim.report.op_roofline import op_points, roofs
from pimsim.report.runs import FinishedRun, RunJob, run_all
from pimsim.report.sensitivity import sensitivity
from pimsim.result.run_result import RunResult
from pimsim.workload.model import DecoderModel, make_request

PAPER_MODELS = (
    "gpt2_small", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl",
)  # fmt: skip
SENSITIVITY_TOKENS = 32
Progress = Callable[[str], None]


@dataclass(frozen=True)
class ReportRequest:
    """What to compare: names or paths; tokens to generate and in the prompt (each workload's own if None); ``path=value`` settings."""

    hardware: tuple[str, ...]
    workloads: tuple[str, ...]
    baselines: tuple[str, ...]
    tokens: int | None = None
    prompt: int | None = None
    settings: tuple[str, ...] = ()

    def job(self, hardware: str, workload: str) -> RunJob:
        """The run of one of the pairs."""
        return RunJob(hardware, workload, self.tokens, self.settings, self.prompt)

    def steps(self, workload: str) -> int:
        """Steps of the request on ``workload``."""
        return make_request(self.workload(workload), self.tokens, self.prompt).steps

    def device(self, name: str) -> Device:
        """The hardware ``name`` with the settings."""
        return load_hardware(name, split_overrides(self.settings)[0])

    def workload(self, name: str) -> WorkloadSpec:
        """The workload ``name`` with the settings."""
        return load_workload(name, split_overrides(self.settings)[1])


@dataclass(frozen=True, eq=False)
class ReportData:
    """Tables behind the figures. ``left_out``: hardware, workload and why it was not run. ``focus`` names what the
    single-workload figures show: ``roofline``, ``sensitivity``, ``timeline``.
    """

    request: ReportRequest
    runs: list[RunResult]
    left_out: list[tuple[str, str, str]]
    comparison: pd.DataFrame
    ops: pd.DataFrame
    causes: pd.DataFrame
    energy: pd.DataFrame
    context: pd.DataFrame
    roofs: pd.DataFrame
    points: pd.DataFrame
    sensitivity: pd.DataFrame
    timeline: pd.DataFrame
    focus: dict[str, str]
    stack_errors: dict[str, dict[str, float | int]]


def collect(request: ReportRequest, processes: int = 1, progress: Progress = lambda text: None) -> ReportData:
    """Simulate and tabulate. Raises PimsimError before simulating if a name, file or length is wrong, CapacityError if nothing fits."""
    baselines = _checked(request)
    jobs = [request.job(hardware, workload) for hardware in request.hardware for workload in request.workloads]
    progress(f"simulating {len(jobs)} runs")
    finished = run_all(jobs, processes)
    done = [(run, run.result) for run in finished if run.result is not None]
    if not done:
        raise CapacityError("\n".join(run.reason for run in finished))
    runs = [result for _, result in done]
    progress("comparing with baselines")
    compared = comparison_table([(request.workload(run.job.workload), result) for run, result in done], baselines)
    largest, smallest = _by_size(request, done)
    progress(f"sensitivity of {largest}")
    few = min(SENSITIVITY_TOKENS, request.tokens or request.workload(largest).request.generate_tokens)
    answers = sensitivity([request.job(name, largest) for name in request.hardware], few, processes)
    progress("timeline of one layer")
    shown = next(run.job.hardware for run, _ in done if run.job.workload == smallest)
    context = max(1, request.steps(smallest) // 2)
    devices = [request.device(name) for name in request.hardware]
    return ReportData(
        request=request,
        runs=runs,
        left_out=[(run.job.hardware, run.job.workload, run.reason) for run in finished if run.result is None],
        comparison=compared,
        ops=latency_by_op(runs),
        causes=latency_by_cause(runs),
        energy=energy_by_term(runs),
        context=_context_table(finished),
        roofs=roofs(devices, baselines),
        points=_roofline_points(request, done, largest, baselines),
        sensitivity=answers,
        timeline=layer_timeline(request.device(shown), request.workload(smallest), context),
        focus={
            "roofline": largest,
            "sensitivity": f"{largest}, first {few} tokens",
            "timeline": f"layer 1 of {smallest} on {shown}, token at context {context}",
        },
        stack_errors=stack_errors(leave_source_out()),
    )


def _checked(request: ReportRequest) -> list[Baseline]:
    """Load everything once, so that a wrong name ends the report before any work."""
    if not (request.hardware and request.workloads and request.baselines):
        raise ConfigError("report needs at least one hardware description, one workload and one baseline")
    for what, names in (("hardware", request.hardware), ("workload", request.workloads), ("baseline", request.baselines)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"report: {what} given twice: {', '.join(twice)}")
    devices = [request.device(name) for name in request.hardware]
    if len({device.name for device in devices}) < len(devices):
        raise ConfigError(f"report: hardware descriptions share a name: {', '.join(device.name for device in devices)}")
    for device in devices:
        _ = device.pim, device.asic, device.link, device.controller, device.energy
    for name in request.workloads:
        request.steps(name)
    return [load_baseline(name) for name in request.baselines]


def _by_size(request: ReportRequest, done: Sequence[tuple[FinishedRun, RunResult]]) -> tuple[str, str]:
    """The largest and the smallest workload that ran on as many devices as any."""
    names = [run.job.workload for run, _ in done]
    most = max(names.count(name) for name in names)
    everywhere = [name for name in dict.fromkeys(names) if names.count(name) == most]
    ordered = sorted(everywhere, key=lambda name: DecoderModel(request.workload(name).model).parameters)
    return ordered[-1], ordered[0]


def _roofline_points(
    request: ReportRequest, done: Sequence[tuple[FinishedRun, RunResult]], workload: str, baselines: list[Baseline]
) -> pd.DataFrame:
    runs = [result for run, result in done if run.job.workload == workload]
    return op_points(runs, DecoderModel(request.workload(workload).model), baselines)


def _context_table(finished: Sequence[FinishedRun]) -> pd.DataFrame:
    """Columns: hardware, workload, context_tokens, ms_per_token: every generated token."""
    parts = []
    for run in finished:
        if run.result is None:
            continue
        first = run.result.prompt_tokens
        step_ms = run.step_s[first - 1 :] * 1e3
        part = pd.DataFrame({"context_tokens": range(first, first + len(step_ms)), "ms_per_token": step_ms})
        part.insert(0, "workload", run.result.workload)
        part.insert(0, "hardware", run.result.hardware)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
