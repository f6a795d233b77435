"""Run a sweep: what is not in the store yet goes to the workers, and every finished point into the store at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pimsim.errors import ConfigError
from pimsim.explore.cluster import DaskWorkers
from pimsim.explore.local import LocalWorkers
from pimsim.explore.plan import plan_sweep
from pimsim.explore.search import check_search, search
from pimsim.explore.session import Progress, Session, Watcher
from pimsim.explore.store import Store
from pimsim.result.provenance import code_digest

RESULTS_FOLDER = "results"


@dataclass(frozen=True)
class SweepRun:
    """Where the results of a finished sweep are, how many there are of each kind, and the time it took."""

    path: Path
    progress: Progress
    wall_s: float


def run_sweep(
    sweep: str | Path,
    out: str | Path = RESULTS_FOLDER,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    watch: Watcher | None = None,
) -> SweepRun:
    """Run a sweep (shipped name or path) into ``out``/<name>.sqlite, skipping what is stored there.

    ``workers`` local processes (default: all cores), or the Dask cluster behind ``scheduler``. ``fresh`` forgets the
    stored points first. ``watch`` is called with the progress after every point. Raises PimsimError before anything is
    simulated or changed if the sweep, the store or the cluster cannot be used.
    """
    began = time.perf_counter()
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise ConfigError(f"workers: {workers!r}: must be a whole number of 1 or more")
    code_digest()  # of what is loaded now, before anyone edits a file
    plan = plan_sweep(sweep)
    points = plan.points() if plan.spec.strategy is None else []
    if plan.spec.strategy is not None:
        check_search(plan)
    cluster = DaskWorkers(scheduler) if scheduler is not None else None
    path = store_path(out, plan.spec.name)
    try:
        store = Store(path, create=True)
        store.begin(plan.identity, plan.spec.name, plan.spec.model_dump_json(), fresh)
    except BaseException:
        if cluster is not None:
            cluster.close()
        raise
    session = Session(plan, store, lambda: cluster or LocalWorkers(workers), watch)
    try:
        if plan.spec.strategy is None:
            session.progress.total = len(points)
            store.add_plan(plan.identity, enumerate(points))
            session.run(points)
        else:
            search(session)
    finally:
        session.close()
        if cluster is not None:
            cluster.close()
    return SweepRun(path, session.progress, time.perf_counter() - began)


def store_path(out: str | Path, name: str) -> Path:
    """Where the sweep called ``name`` is stored."""
    return Path(out) / f"{name}.sqlite"
