"""Small sweeps over a tiny model, and the command line in this process or another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pimsim import cli, simulate

TINY = Path(__file__).with_name("tiny.yaml")
ROOT = Path(__file__).resolve().parents[2]
BASE: dict[str, Any] = {
    "name": "small",
    "workload": str(TINY),
    "axes": {"dram.channels": [1, 2], "asic.clock_ghz": [0.5, 1.0]},
    "objectives": ["latency_s", "energy_j", "area_mm2"],
}
SweepFile = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Compile the kernels once, here, and not in every process that a test starts."""
    simulate("pim_gpt", TINY)


@pytest.fixture
def sweep_file(tmp_path: Path) -> SweepFile:
    """Writes the small sweep with some keys changed (None removes one)."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "sweep.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in {**BASE, **changes}.items() if v is not None}, sort_keys=False))
        return path

    return write


@pytest.fixture
def pimsim(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the command line in this process; returns its exit code."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["pimsim", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    return run


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
