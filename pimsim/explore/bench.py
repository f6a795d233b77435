"""How fast sweeps are: the shipped grid of 1,000 points, and the time a point takes beside its simulation."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pimsim.explore.driver import run_sweep
from pimsim.explore.store import Store

GRID = "grid_1000"


@dataclass(frozen=True)
class SweepFigures:
    """Times of a sweep and of its repetition.

    ``engine_s`` is the sum of the simulations over all workers. ``overhead_ms_per_point`` is everything else a worker's
    core does for a point, from the driver's first look at the sweep file to its summary: (workers x wall_s - engine_s) / points.
    """

    points: int
    workers: int
    wall_s: float
    points_per_s: float
    engine_s: float
    overhead_ms_per_point: float
    worker_overhead_ms_per_point: float
    repeated_wall_s: float
    repeated_simulated: int


def bench_sweep(workers: int = 2, sweep: str | Path = GRID) -> dict[str, Any]:
    """Run ``sweep`` into a temporary folder with ``workers`` processes, then once more; the figures of both."""
    with tempfile.TemporaryDirectory(prefix="pimsim-bench-") as folder:
        run = run_sweep(sweep, folder, workers=workers)
        began = time.perf_counter()
        again = run_sweep(sweep, folder, workers=workers)
        repeated_wall_s = time.perf_counter() - began
        store = Store(run.path)
        worker_s, engine_s = store.timings()
        store.close()
    simulated = run.progress.simulated
    figures = SweepFigures(
        points=run.progress.total,
        workers=workers,
        wall_s=run.wall_s,
        points_per_s=simulated / run.wall_s,
        engine_s=engine_s,
        overhead_ms_per_point=(workers * run.wall_s - engine_s) / simulated * 1e3,
        worker_overhead_ms_per_point=(worker_s - engine_s) / simulated * 1e3,
        repeated_wall_s=repeated_wall_s,
        repeated_simulated=again.progress.simulated,
    )
    return asdict(figures)
