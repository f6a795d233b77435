"""Measured decode latencies: read the table, understand each row, or say why it cannot be read as time per token."""

from __future__ import annotations

import csv
import difflib
import io
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pimsim.baselines.match import WEIGHT_BYTES, match_device, match_framework, match_model
from pimsim.baselines.stacks import EAGER, FRAMEWORKS
from pimsim.baselines.steptime import Run, StepFeatures, features
from pimsim.config import shipped
from pimsim.config.baseline import baseline_names
from pimsim.config.load import load_workload
from pimsim.errors import ConfigError, nearest
from pimsim.files import open_regular
from pimsim.workload.model import DecoderModel

COLUMNS = (
    "device", "model", "dtype", "framework", "batch", "prompt_len", "gen_len", "raw_value", "ms_per_token",
    "ideal_weight_stream_ms", "measured_over_ideal", "source", "confidence", "note", "exception", "energy_j_per_token", "power_w",
)  # fmt: skip
_NEEDED = ("device", "model", "framework", "ms_per_token")
_MISSPELT = 0.8  # similarity from which another name is taken for a misspelt column
UNSTATED_TOKENS = 128  # assumed for a prompt or an output whose length is not stated
_NOT_DECODE = (
    (re.compile(r"no (k/?v[ -]?)?cache", re.IGNORECASE), "no K/V cache: every token repeats the whole context"),
    (re.compile(r"\d+ beams", re.IGNORECASE), "beam search: several sequences in a step"),
    (re.compile(r"\bforward\b", re.IGNORECASE), "a forward pass, not a decode step"),
)
_THREADS = re.compile(r"(\d+) threads?", re.IGNORECASE)


@dataclass(frozen=True)
class Measurement:
    """A row: its texts, and either what was run (``run``, mean ``context``, ``measured_ms``) or why it is left out."""

    texts: dict[str, str]
    stack: str
    exception: str
    measured_ms: float = float("nan")
    run: Run | None = None
    context: float = 0.0

    @cached_property
    def features(self) -> StepFeatures:
        """Features of the mean step; only for rows that are not left out."""
        assert self.run is not None
        return features(self.run, np.array([self.context]))


def shipped_table() -> Path:
    """Path of the shipped measurements."""
    return shipped.data_root() / "hw_configs" / "baselines" / "measured_decode.csv"


def read_measurements(path: Path) -> list[Measurement]:
    """Rows of a CSV with the columns of the shipped table. Raises ConfigError if it cannot be read as one."""
    try:
        with io.TextIOWrapper(open_regular(path, ConfigError), newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            check_columns(path, list(reader.fieldnames or ()))
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: not a CSV table in UTF-8: {error}") from None
    if not rows:
        raise ConfigError(f"{path}: no measurements below the header")
    return [_understand(row) for row in rows]


def check_columns(path: Path, columns: list[str]) -> None:
    """Raise ConfigError for a missing or misspelt column of a measurements table; other columns are a user's own."""
    twice = [name for index, name in enumerate(columns) if name and name in columns[:index]]
    if twice:
        raise ConfigError(f"{path}: column '{twice[0]}' is there twice")
    absent = [name for name in COLUMNS if name not in columns]
    for name in columns:
        meant = difflib.get_close_matches(name, absent, n=1, cutoff=_MISSPELT) if name not in COLUMNS else []
        if meant:
            raise ConfigError(f"{path}: unknown column '{name}' (did you mean '{meant[0]}'?)")
    for name in _NEEDED:
        if name not in columns:
            raise ConfigError(f"{path}: column '{name}' is missing; needed: {', '.join(_NEEDED)}")


def _understand(row: dict[str, str]) -> Measurement:
    name = match_framework(row["framework"])
    stack = FRAMEWORKS[name].stack if name else "unknown"
    try:
        return _readable(row, name, stack)
    except _LeftOut as reason:
        return Measurement(row, stack, str(reason), _number(row["ms_per_token"]) or float("nan"))


class _LeftOut(Exception):
    """Why a row is not read as a decode time."""


def _readable(row: dict[str, str], framework_name: str | None, stack: str) -> Measurement:
    _check_kind(row)
    device = match_device(row["device"])
    if device is None:
        raise _LeftOut(f"device '{row['device']}' is not a known baseline{nearest(row['device'], baseline_names())}")
    model = match_model(row["model"])
    if model is None:
        raise _LeftOut(f"model '{row['model']}' is not a shipped workload")
    if framework_name is None:
        raise _LeftOut(f"framework '{row['framework']}' belongs to no known stack")
    framework = FRAMEWORKS[framework_name]
    weight_bytes = _weight_bytes(row.get("dtype", ""))
    if framework.launch == EAGER and (weight_bytes < 2 or (device.devices > 1 and device.baseline.spec.device_class == "gpu")):
        raise _LeftOut("eager stack with quantised weights or several GPUs: not modelled")
    _check_threads(row, device.baseline.spec.cores)
    decoder = DecoderModel(load_workload(model.workload).model)
    run = Run(device.baseline, decoder, framework, weight_bytes, device.devices, model.linear_only)
    measured_ms = _number(row["ms_per_token"])
    assert measured_ms is not None
    return Measurement(row, stack, "", measured_ms, run, _mean_context(row))


def _check_kind(row: dict[str, str]) -> None:
    stated = row.get("exception") or row.get("excluded", "")
    if stated.lower() not in ("", "0", "no", "false"):
        raise _LeftOut(stated)
    if row["ms_per_token"] == "":
        raise _LeftOut("no time per token")
    if _number(row["ms_per_token"]) is None:
        raise _LeftOut(f"ms_per_token '{row['ms_per_token']}' is not a positive number")
    if row.get("batch", "") != "" and _number(row["batch"]) != 1:
        raise _LeftOut(f"batch {row['batch']}: one sequence at a time is modelled")
    text = f"{row['framework']} {row.get('raw_value', '')}"
    for pattern, reason in _NOT_DECODE:
        if pattern.search(text):
            raise _LeftOut(reason)


def _check_threads(row: dict[str, str], cores: int | None) -> None:
    stated = _THREADS.search(f"{row['device']} {row['framework']}")
    if stated and cores and int(stated[1]) < cores / 2:
        raise _LeftOut(f"{stated[1]} threads on {cores} cores: the bandwidth of few cores is not modelled")


def _weight_bytes(dtype: str) -> float:
    text = dtype.lower() or "fp16"
    if text not in WEIGHT_BYTES:
        raise _LeftOut(f"dtype '{dtype}' is not one of: {', '.join(WEIGHT_BYTES)}")
    return WEIGHT_BYTES[text]


def _mean_context(row: dict[str, str]) -> float:
    """Mean number of attended tokens over the generated ones."""
    prompt, generated = _tokens(row, "prompt_len"), _tokens(row, "gen_len")
    return max(1.0, prompt + (generated + 1) / 2)


def _tokens(row: dict[str, str], column: str) -> float:
    text = row.get(column, "")
    value = UNSTATED_TOKENS if text == "" else _number(text, zero=True)
    if value is None:
        raise _LeftOut(f"{column} '{text}' is not a number of tokens")
    return value


def _number(text: str, zero: bool = False) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) and (value > 0 or (zero and value == 0)) else None
