"""The small sweep over a tiny model that the tests change, and sweeps in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TINY = Path(__file__).parent / "explore" / "tiny.yaml"
ROOT = Path(__file__).resolve().parents[1]
BASE: dict[str, Any] = {
    "name": "small",
    "workload": str(TINY),
    "axes": {"dram.channels": [1, 2], "asic.clock_ghz": [0.5, 1.0]},
    "objectives": ["latency_s", "energy_j", "area_mm2"],
}
SweepFile = Callable[..., Path]


def start_sweep(path: Path, out: Path, *options: object, limit_file_bytes: int | None = None) -> subprocess.Popen[str]:
    """Start ``pimsim sweep`` in a process of its own."""

    def limit() -> None:
        import resource

        assert limit_file_bytes is not None
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_bytes, limit_file_bytes))

    return subprocess.Popen(
        [sys.executable, "-m", "pimsim.cli", "sweep", str(path), "--out", str(out), *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=None if limit_file_bytes is None else limit,
    )
