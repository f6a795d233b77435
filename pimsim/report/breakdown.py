"""Latency by operation and by cause, energy by term: tidy tables, grouped so that a figure has few colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from pimsim.result.run_result import RunResult

OP_GROUPS: Mapping[str, tuple[str, ...]] = {
    "feed-forward": ("ffn1", "ffn2", "gate", "up", "down"),
    "Q, K, V products": ("qkv", "q", "k", "v"),
    "output projection": ("proj",),
    "LM head": ("lm_head",),
    "attention products": ("scores", "context"),
    "softmax": ("softmax",),
    "K/V write": ("k_write", "v_write"),
    "norms, activation, rest": (),
}
ENERGY_GROUPS: Mapping[str, tuple[str, ...]] = {
    "array read for MAC": ("mac_array_read",),
    "activation": ("activation",),
    "MAC units": ("mac_units",),
    "global buffer": ("global_buffer",),
    "link and column I/O": ("link_io", "column_read", "column_write"),
    "refresh": ("refresh",),
    "standby": ("background_active", "background_precharged"),
    "ASIC": ("asic_dynamic", "asic_static"),
}


def group_of(name: str, groups: Mapping[str, tuple[str, ...]]) -> str:
    """Group that lists ``name``; the last one if none does."""
    return next((group for group, names in groups.items() if name in names), list(groups)[-1])


def latency_by_op(runs: Iterable[RunResult]) -> pd.DataFrame:
    """Columns: hardware, workload, group, op, ms_per_token (time on the critical path over generated tokens)."""
    rows = [
        (run.hardware, run.workload, group_of(op, OP_GROUPS), op, seconds * 1e3 / run.generated_tokens)
        for run in runs
        for op, seconds in run.critical_path_s.items()
    ]
    return pd.DataFrame(rows, columns=["hardware", "workload", "group", "op", "ms_per_token"])


def latency_by_cause(runs: Iterable[RunResult]) -> pd.DataFrame:
    """Columns: hardware, workload, group (the cause), share_percent of the cycles, mean over channels, and ms_per_token."""
    rows = []
    for run in runs:
        channels = list(run.cycle_breakdown.values())
        for cause in channels[0]:
            share = sum(channel[cause] for channel in channels) / len(channels) / run.dram_cycles
            rows.append((run.hardware, run.workload, cause, share * 100, share * run.latency_s * 1e3 / run.generated_tokens))
    return pd.DataFrame(rows, columns=["hardware", "workload", "group", "share_percent", "ms_per_token"])


def energy_by_term(runs: Iterable[RunResult]) -> pd.DataFrame:
    """Columns: hardware, workload, group, term, mj_per_token and its low and high."""
    rows = []
    for run in runs:
        bands, scale = run.energy_breakdown_band_j, 1e3 / run.generated_tokens
        for term in run.energy_breakdown_j:
            low, nominal, high = (bands[which][term] * scale for which in ("low", "nominal", "high"))
            rows.append((run.hardware, run.workload, group_of(term, ENERGY_GROUPS), term, nominal, low, high))
    columns = ["hardware", "workload", "group", "term", "mj_per_token", "mj_per_token_low", "mj_per_token_high"]
    return pd.DataFrame(rows, columns=columns)
