"""Report data of any number of workloads, made from a small simulated one: names and sizes change, shapes stay."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pimsim.report.data import ReportData

NAMES = [
    "gpt2_small", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl", "llama2_7b", "llama2_13b",
    "tinyllama_1_1b", "gemma_2b", "qwen2_5_72b_instruct", "opt_125m", "opt_1_3b", "gpt_j_6b", "gpt_neox_20b", "bloom_560m", "bloom_1b7",
    "mistral_7b_v0_3", "mixtral_8x7b_instruct", "phi_2", "falcon_7b", "starcoder2_3b", "deepseek_v2_lite", "yi_6b", "olmo_1b",
    "stablelm_3b", "pythia_410m", "a_model_with_a_remarkably_long_name",
]  # fmt: skip
COLUMNS = {"comparison": ["pim_token_latency_s"], "ops": ["ms_per_token"], "causes": ["ms_per_token"], "energy": ["mj_per_token"]}


def with_workloads(data: ReportData, count: int) -> ReportData:
    """``data`` as if of ``count`` workloads, the i-th (i + 1) times as slow as the first."""
    first = data.runs[0].workload
    tables: dict[str, pd.DataFrame] = {}
    for name in ("comparison", "ops", "causes", "energy", "context"):
        frame = getattr(data, name)
        own = frame[frame.workload == first]
        tables[name] = pd.concat([_scaled(own, new, index + 1) for index, new in enumerate(NAMES[:count])], ignore_index=True)
    runs = [replace(run, workload=new) for run in data.runs if run.workload == first for new in NAMES[:count]]
    return replace(data, runs=runs, **tables)


def _scaled(frame: pd.DataFrame, name: str, factor: float) -> pd.DataFrame:
    changed = frame.assign(workload=name)
    for column in ("ms_per_token", "mj_per_token", "mj_per_token_low", "mj_per_token_high"):
        if column in changed:
            changed[column] = changed[column] * factor
    for column in ("speedup", "speedup_low", "speedup_high"):
        if column in changed:
            changed[column] = changed[column] * (1 + factor / 10)
    return changed
