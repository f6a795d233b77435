"""Measure batch-1 decoding of a workload on this machine: plain PyTorch, random weights, one row for the measurements table."""

from __future__ import annotations

import csv
import io
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from pimsim.baselines.capacity import needed_bytes
from pimsim.baselines.measurements import COLUMNS, check_columns
from pimsim.config.workload import WorkloadSpec
from pimsim.errors import CapacityError, ConfigError, RequestError, nearest
from pimsim.files import open_regular
from pimsim.text import table_cell
from pimsim.workload.model import DecoderModel, Request

DEVICES = ("cuda", "cpu")
FRAMEWORK = "PyTorch eager (pimsim measure)"
_WARM_UP_STEPS = 3


def measure_decode(device: str, workload: WorkloadSpec, tokens: int, prompt: int = 1) -> dict[str, str]:
    """Time ``tokens`` decoding steps after ``prompt`` tokens and return a row of the measurements table.

    16-bit weights on a GPU, 32-bit on a CPU. ms_per_token is the mean over the steps; energy comes from the GPU's own
    counter where there is one. Raises ConfigError without PyTorch or the device, CapacityError if the model does not fit.
    """
    if device not in DEVICES:
        raise ConfigError(f"unknown device '{device}'{nearest(device, DEVICES)}; allowed: {', '.join(DEVICES)}")
    if prompt + tokens > workload.model.max_context:
        raise RequestError(f"{workload.name}: {prompt} + {tokens} tokens exceed model.max_context {workload.model.max_context}")
    torch = _torch(device)
    dtype = "fp32" if device == "cpu" else "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    _check_memory(torch, device, workload, tokens + prompt, 4 if dtype == "fp32" else 2)
    from pimsim.baselines.torch_decoder import TorchDecoder

    decoder = TorchDecoder(workload.model, device, dtype, prompt + tokens)
    decoder.skip_to(prompt)
    for _ in range(_WARM_UP_STEPS):
        decoder.step(prompt)
    before_j = _energy_j(torch, device)
    times_ms = [_timed_ms(torch, device, decoder, prompt + index) for index in range(tokens)]
    after_j = _energy_j(torch, device)
    joules = (after_j - before_j) / tokens if before_j is not None and after_j is not None else None
    return _row(_device_name(torch, device), workload, dtype, prompt, times_ms, joules, torch.__version__)


def append_row(path: Path | None, row: dict[str, str]) -> str:
    """CSV text of the table at ``path`` (if it exists) with ``row`` added. Raises ConfigError for a table of other columns."""
    rows: list[dict[str, str]] = []
    columns = list(COLUMNS)
    if path is not None and path.exists():
        with io.TextIOWrapper(open_regular(path, ConfigError), newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            check_columns(path, list(reader.fieldnames or ()))
            rows = [{key: value or "" for key, value in old.items() if key} for old in reader]
            columns = [*(reader.fieldnames or ()), *(name for name in columns if name not in (reader.fieldnames or ()))]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: table_cell(value) for name, value in one.items()} for one in (*rows, row)])
    return text.getvalue()


def _torch(device: str) -> Any:
    try:
        import torch
    except ImportError:
        raise ConfigError(
            "measuring needs PyTorch, which is not installed: install the extra with pip install 'pimsim[measure]'"
        ) from None
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device cuda: PyTorch finds no GPU on this machine; device cpu is there")
    return torch


def _check_memory(torch: Any, device: str, workload: WorkloadSpec, tokens: int, element_bytes: int) -> None:
    if device == "cuda":
        free = torch.cuda.mem_get_info()[0]
    else:
        free = _free_host_bytes()
    needed = needed_bytes(DecoderModel(workload.model), Request(1, tokens), element_bytes, element_bytes)
    if free is not None and needed > free:
        raise CapacityError(f"{workload.name} needs {needed / 1e9:.1f} GB at {tokens} tokens; {free / 1e9:.1f} GB are free")


def _free_host_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def _timed_ms(torch: Any, device: str, decoder: Any, position: int) -> float:
    if device == "cpu":
        start = time.perf_counter()
        decoder.step(position)
        return (time.perf_counter() - start) * 1e3
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    decoder.step(position)
    end.record()
    torch.cuda.synchronize()
    return float(begin.elapsed_time(end))


def _energy_j(torch: Any, device: str) -> float | None:
    """The GPU's energy counter in J; None without NVML or where the GPU has no counter."""
    if device == "cpu":
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
    except Exception:  # every NVML failure means the same here: no energy
        return None


def _device_name(torch: Any, device: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name(0))
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def _row(
    device: str, workload: WorkloadSpec, dtype: str, prompt: int, times_ms: list[float], joules: float | None, version: str
) -> dict[str, str]:
    mean_ms = statistics.fmean(times_ms)
    row = dict.fromkeys(COLUMNS, "")
    row |= {
        "device": device,
        "model": workload.labels[0] if workload.labels else workload.name,
        "dtype": dtype,
        "framework": FRAMEWORK,
        "batch": "1",
        "prompt_len": str(prompt),
        "gen_len": str(len(times_ms)),
        "raw_value": f"mean {mean_ms:.4g}, median {statistics.median(times_ms):.4g} ms per token",
        "ms_per_token": f"{mean_ms:.5g}",
        "source": f"pimsim baselines measure, torch {version}",
        "confidence": "measured",
        "note": "random weights",
    }
    if joules is not None:
        row |= {"energy_j_per_token": f"{joules:.4g}", "power_w": f"{joules / mean_ms * 1e3:.4g}"}
    return row
