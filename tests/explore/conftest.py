"""Small sweeps over a tiny model, and the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pimsim import cli, simulate
from tests.sweep_cases import BASE, TINY, SweepFile


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
