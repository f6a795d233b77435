"""What the AiM tests share: devices by override, traces from text, the committed traces unpacked."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pimsim.aim.run import AimResult, AimRun, run_trace
from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.engine.command_trace import CommandTrace, concatenate

HERE = Path(__file__).parent


@cache
def _device(*overrides: str) -> Device:
    return load_hardware("gddr6_aim", overrides)


@pytest.fixture(scope="session")
def device() -> Callable[..., Device]:
    """The shipped device with overrides."""
    return _device


@pytest.fixture(scope="session")
def trace_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A committed trace, unpacked."""
    folder = tmp_path_factory.mktemp("traces")

    def unpacked(name: str) -> Path:
        path = folder / f"{name}.trace"
        if not path.exists():
            path.write_bytes(gzip.decompress((HERE / "traces" / f"{name}.trace.gz").read_bytes()))
        return path

    return unpacked


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., AimResult]:
    """Run instructions (';' between them, EOC added) with overrides."""

    def result(text: str, *overrides: str) -> AimResult:
        path = tmp_path / "test.trace"
        path.write_text("\n".join([*filter(None, text.split(";")), "AiM EOC"]) + "\n")
        return run_trace(path, _device(*overrides))

    return result


@pytest.fixture
def stream(tmp_path: Path) -> Callable[..., CommandTrace]:
    """Commands of instructions (';' between them, EOC added) or of a trace file, with overrides."""

    def commands(trace: str | Path, *overrides: str) -> CommandTrace:
        path = trace if isinstance(trace, Path) else tmp_path / "test.trace"
        if isinstance(trace, str):
            path.write_text("\n".join([*filter(None, trace.split(";")), "AiM EOC"]) + "\n")
        return concatenate(list(AimRun(path, _device(*overrides), log=True).parts()))

    return commands
