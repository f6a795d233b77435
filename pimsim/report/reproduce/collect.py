"""Simulate all that the reproduction of PIM-GPT needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_hardware, load_workload
from pimsim.errors import CapacityError, ConfigError, nearest
from pimsim.report.comparison_table import comparison_table
from pimsim.report.data import PAPER_MODELS
from pimsim.report.reproduce.assumed import assumed_effects
from pimsim.report.reproduce.measures import latency_at
from pimsim.report.runs import RunJob, run_all
from pimsim.result.run_result import RunResult

HARDWARE = "pim_gpt"
LARGEST = "gpt3_xl"
BASELINES = ("t4", "xeon_gold_6154")
CLOCK_RATIO = 10
SLOW_CLOCK = f"asic.clock_ghz={1 / CLOCK_RATIO}"
CHANNELS = (8, 16, 32)
UNIT_FACTORS = (1, 2, 4, 8, 16)
LONG_CONTEXT = 8192
CONTEXTS = (1, 1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192)
ASSUMED_TOKENS = 64
Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Reproduction:
    """Runs by workload as named: ``nominal`` and with a 100 MHz ASIC. Tables: ``comparison``, ``channels``, ``units`` (share of
    ASIC arithmetic against its number of adders and multipliers), ``contexts``, ``assumed``; ``no_long_context`` says which
    models do not fit with a long one.
    """

    tokens: int | None
    nominal: dict[str, RunResult]
    slow_asic: dict[str, RunResult]
    comparison: pd.DataFrame
    channels: pd.DataFrame
    units: pd.DataFrame
    contexts: pd.DataFrame
    no_long_context: dict[str, str]
    assumed: pd.DataFrame

    @property
    def largest(self) -> str:
        """The model that stands for the large ones: GPT3-XL, or the last one where that is not among the runs."""
        return _largest_of(list(self.nominal))


def reproduce(
    models: Sequence[str] = PAPER_MODELS, tokens: int | None = None, processes: int = 1, progress: Progress = lambda text: None
) -> Reproduction:
    """Simulate ``models`` (the eight of the paper) for ``tokens`` tokens (1,024) and tabulate. Raises PimsimError on wrong input."""
    unknown = [name for name in models if name not in PAPER_MODELS]
    if unknown:
        raise ConfigError(
            f"not a model of PIM-GPT: '{unknown[0]}'{nearest(unknown[0], PAPER_MODELS)}; allowed: {', '.join(PAPER_MODELS)}"
        )
    largest = _largest_of(models)
    progress(f"simulating {len(models)} models, ASIC at 1 GHz and at 100 MHz")
    nominal, slow = (_runs(models, tokens, settings, processes) for settings in ((), (SLOW_CLOCK,)))
    progress("baselines")
    compared = comparison_table(
        [(load_workload(name), run) for name, run in nominal.items()], [load_baseline(name) for name in BASELINES]
    )
    progress("channels, adders and multipliers, long contexts")
    channels = _channels(models[0], largest, tokens, processes)
    units = _units(largest, tokens, processes)
    contexts, no_long_context = _contexts(models)
    progress("effect of every assumed constant")
    assumed = assumed_effects(HARDWARE, largest, min(ASSUMED_TOKENS, tokens or ASSUMED_TOKENS), processes)
    return Reproduction(tokens, nominal, slow, compared, channels, units, contexts, no_long_context, assumed)


def _largest_of(models: Sequence[str]) -> str:
    return LARGEST if LARGEST in models else models[-1]


def _runs(models: Sequence[str], tokens: int | None, settings: tuple[str, ...], processes: int) -> dict[str, RunResult]:
    found = run_all([RunJob(HARDWARE, name, tokens, settings) for name in models], processes)
    for run in found:
        if run.result is None:
            raise CapacityError(run.reason)
    return {run.job.workload: run.result for run in found if run.result is not None}


def _channels(small: str, large: str, tokens: int | None, processes: int) -> pd.DataFrame:
    """Columns: workload, channels, latency_s, scaling (over the fewest channels), efficiency_percent (of linear)."""
    models = list(dict.fromkeys((small, large)))
    jobs = [RunJob(HARDWARE, name, tokens, (f"dram.channels={count}",)) for name in models for count in CHANNELS]
    rows = []
    first: dict[str, float] = {}
    for run, count in zip(run_all(jobs, processes), CHANNELS * len(models), strict=True):
        assert run.result is not None
        scaling = first.setdefault(run.job.workload, run.result.latency_s) / run.result.latency_s
        rows.append((run.job.workload, count, run.result.latency_s, scaling, scaling * CHANNELS[0] / count * 100))
    return pd.DataFrame(rows, columns=["workload", "channels", "latency_s", "scaling", "efficiency_percent"])


def _units(workload: str, tokens: int | None, processes: int) -> pd.DataFrame:
    """Columns: workload, factor, adders, multipliers, asic_share_percent, latency_s."""
    asic = load_hardware(HARDWARE).asic
    counts = [(factor, asic.adders * factor, asic.multipliers * factor) for factor in UNIT_FACTORS]
    jobs = [RunJob(HARDWARE, workload, tokens, (f"asic.adders={a}", f"asic.multipliers={m}")) for _, a, m in counts]
    rows = []
    for run, count in zip(run_all(jobs, processes), counts, strict=True):
        assert run.result is not None
        share = run.result.asic_busy_s / run.result.latency_s * 100
        rows.append((workload, *count, share, run.result.latency_s))
    return pd.DataFrame(rows, columns=["workload", "factor", "adders", "multipliers", "asic_share_percent", "latency_s"])


def _contexts(models: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    parts, reasons = [], {}
    for name in models:
        try:
            parts.append(latency_at(HARDWARE, name, LONG_CONTEXT, CONTEXTS))
        except CapacityError as error:
            reasons[name] = str(error)
    return pd.concat(parts, ignore_index=True), reasons
