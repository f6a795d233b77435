"""Matrix-vector traces of AiM instructions: this package's speed beside a peer's, aim_simulator."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from pimsim.aim.run import AimResult, run_trace
from pimsim.bench.gemv import GemvTrace, gemv_text
from pimsim.bench.measure import Elapsed, median, timed
from pimsim.bench.request_run import last_words
from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.errors import BenchError

HARDWARE = "gddr6_aim"
SETTINGS = ("controller.quirks=aim_simulator",)
ANOTHER_MACHINE = "another machine"
TURNS = 3


class Published(NamedTuple):
    """The peer's cycles and wall seconds for a trace, as measured on another machine."""

    gemv: GemvTrace
    cycles: int
    wall_s: float


@dataclass(frozen=True)
class GemvFigures:
    """Median of ``turns`` runs of a trace, from reading the file to the counts.

    ``channel_cycles``: memory cycles times the channels that both simulators model, addressed or not.
    ``peer_measured_on``: 'another machine', or 'this machine' if the peer was run in turns with this package.
    """

    trace: str
    cycles: int
    peer_cycles: int
    channel_cycles: int
    turns: int
    wall_s: float
    cpu_s: float
    channel_cycles_per_s: float
    peer_wall_s: float
    peer_channel_cycles_per_s: float
    peer_measured_on: str


@dataclass(frozen=True)
class SetFigures:
    """One process that runs all traces, as ``pimsim trace run TRACE...``, beside the peer's processes, one a trace."""

    traces: int
    process_wall_s: float
    peer_wall_s: float
    peer_measured_on: str


def published() -> list[Published]:
    """The peer's figures that come with this package."""
    text = (resources.files("pimsim.bench") / "peer_gemv.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return [
        Published(
            GemvTrace(int(row["outputs"]), int(row["inputs"]), int(row["channels"]), row["style"]),
            int(row["cycles"]),
            float(row["wall_s"]),
        )
        for row in rows
    ]


def check_peer(peer: str | None) -> None:
    """Raise BenchError unless ``peer`` is None or the path of a program."""
    if peer is not None and not (Path(peer).is_file() and os.access(peer, os.X_OK)):
        raise BenchError(f"--peer-binary {peer}: no program there; give the path of an executable that takes a trace's path")


def bench_gemv(traces: Sequence[Published], peer: str | None = None, turns: int = TURNS) -> Iterator[GemvFigures | SetFigures]:
    """Figures of each trace, then of the set. ``peer``: a program that is called with a trace's path alone.

    Raises BenchError if the peer or the package's own process fails.
    """
    check_peer(peer)
    device = load_hardware(HARDWARE, SETTINGS)
    with tempfile.TemporaryDirectory(prefix="pimsim-bench-") as folder:
        paths = [_write(entry.gemv, Path(folder)) for entry in traces]
        run_trace(paths[0], device)
        peer_wall_s = 0.0
        for path, entry in zip(paths, traces, strict=True):
            found = _bench_trace(device, path, entry, peer, turns)
            peer_wall_s += found.peer_wall_s
            yield found
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        command = [sys.executable, "-m", "pimsim.cli", "trace", "run", *map(str, paths), "--hardware", HARDWARE, *settings]
        process_wall_s = median([_process("pimsim trace run", command) for _ in range(turns)]).wall_s
        yield SetFigures(len(paths), process_wall_s, peer_wall_s, _where(peer))


def _bench_trace(device: Device, path: Path, entry: Published, peer: str | None, turns: int) -> GemvFigures:
    own: list[Elapsed] = []
    others: list[Elapsed] = []
    for _ in range(turns):
        result, elapsed = timed(lambda: run_trace(path, device))
        own.append(elapsed)
        if peer:
            others.append(_process(peer, [peer, str(path)]))
    return _figures(device, entry, result, median(own), median(others).wall_s if peer else entry.wall_s, _where(peer), turns)


def _figures(
    device: Device, entry: Published, result: AimResult, own: Elapsed, peer_wall_s: float, where: str, turns: int
) -> GemvFigures:
    channels = device.organization.channels
    return GemvFigures(
        trace=entry.gemv.name,
        cycles=result.memory_system_cycles,
        peer_cycles=entry.cycles,
        channel_cycles=result.memory_system_cycles * channels,
        turns=turns,
        wall_s=own.wall_s,
        cpu_s=own.cpu_s,
        channel_cycles_per_s=result.memory_system_cycles * channels / own.wall_s,
        peer_wall_s=peer_wall_s,
        peer_channel_cycles_per_s=entry.cycles * channels / peer_wall_s,
        peer_measured_on=where,
    )


def _where(peer: str | None) -> str:
    return "this machine" if peer else ANOTHER_MACHINE


def _write(gemv: GemvTrace, folder: Path) -> Path:
    path = folder / f"{gemv.name}.trace"
    path.write_text(gemv_text(gemv))
    return path


def _process(what: str, command: list[str]) -> Elapsed:
    try:
        done, elapsed = timed(lambda: subprocess.run(command, capture_output=True, text=True, errors="replace"))
    except OSError as error:
        raise BenchError(f"{what}: cannot be run: {error.strerror}") from None
    if done.returncode:
        raise BenchError(f"{what}: {last_words(done)}")
    return elapsed
