"""A real Dask cluster on this machine: scheduler and workers are processes that share nothing with the driver."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pimsim.errors import ClusterError
from pimsim.explore.cluster import _check_versions
from pimsim.explore.driver import run_sweep
from pimsim.explore.evaluate import signature
from pimsim.explore.session import Progress
from pimsim.explore.table import Sweep
from pimsim.result.provenance import code_digest, package_version
from tests.sweep_cases import BASE, ROOT

pytest.importorskip("distributed")
POINTS = 60


class Cluster:
    """A scheduler and two workers, each started as a user would start them, in folders of their own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        self.folder = folder
        self.processes = [self._start("scheduler", "--port", self.address.rpartition(":")[2], "--no-dashboard")]
        for _ in range(2):
            self.processes.append(self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"))

    def _start(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        here = self.folder / str(time.monotonic_ns())
        here.mkdir()
        command = [sys.executable, "-m", "distributed.cli.dask_" + kind, "--host", "127.0.0.1", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with open(here / "log", "wb") as log:
            return subprocess.Popen(command, cwd=here, env=environment, stdout=log, stderr=log)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path)
    yield started
    started.close()


def test_same_table_on_a_cluster_that_loses_a_worker(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    axes = {"asic.clock_ghz": {"lin": [0.5, 1.0, POINTS // 2]}, "dram.rows": [16384, 1]}
    path.write_text(yaml.safe_dump({**BASE, "axes": axes}))
    victim = cluster.processes[-1]

    def kill_one(progress: Progress) -> None:
        if progress.finished > POINTS // 4 and victim.poll() is None:
            os.kill(victim.pid, signal.SIGKILL)

    run = run_sweep(path, tmp_path / "cluster", scheduler=cluster.address, watch=kill_one)
    assert victim.wait(10) == -signal.SIGKILL
    assert (run.progress.simulated, run.progress.failed, run.progress.finished) == (POINTS, 0, POINTS)
    local = run_sweep(path, tmp_path / "local", workers=1)
    pd.testing.assert_frame_equal(Sweep.load(run.path).frame(), Sweep.load(local.path).frame(), check_exact=True)
    assert set(Sweep.load(run.path).frame()["status"]) == {"done", "infeasible"}
    assert run_sweep(path, tmp_path / "cluster", scheduler=cluster.address).progress.simulated == 0


@pytest.mark.parametrize(("lost", "message"), [("scheduler", "its scheduler"), ("workers", "it has had no workers for 1 s")])
def test_a_cluster_that_is_gone(
    lost: str, message: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pimsim.explore.cluster.NO_WORKERS_TIMEOUT_S", 1)
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump({**BASE, "axes": {"asic.clock_ghz": {"lin": [0.5, 1.0, POINTS]}}}))

    def kill(progress: Progress) -> None:
        if progress.finished == POINTS // 4:
            for process in cluster.processes[:1] if lost == "scheduler" else cluster.processes[1:]:
                process.kill()

    with pytest.raises(ClusterError, match=f"{message}.*; finished points are stored, run again to go on"):
        run_sweep(path, tmp_path / "out", scheduler=cluster.address, watch=kill)
    statuses = Sweep.load(tmp_path / "out" / "small.sqlite").frame()["status"]
    assert POINTS // 4 <= (statuses == "done").sum() < POINTS
    assert "failed" not in set(statuses)


def test_workers_of_another_version_are_refused() -> None:
    with pytest.raises(ClusterError, match=r"tcp://x: workers run pimsim 0.0.1, this is .*: results would differ"):
        _check_versions({"tcp://a": ("0.0.1", code_digest())}, "tcp://x")
    with pytest.raises(ClusterError, match=r"tcp://x: workers run pimsim .* of other code"):
        _check_versions({"tcp://a": (package_version(), "other"), "tcp://b": signature()}, "tcp://x")


def test_tls_against_a_plain_scheduler(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pimsim.explore.cluster.CONNECT_TIMEOUT_S", 5)
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(BASE))
    with pytest.raises(ClusterError, match=r"tls://.*: no Dask scheduler answers") as raised:
        run_sweep(path, tmp_path / "out", scheduler=cluster.address.replace("tcp", "tls"))
    assert "\n" not in str(raised.value) and not (tmp_path / "out").exists()
