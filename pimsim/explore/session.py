"""A sweep while it runs: which points go to the workers, and what comes back into the store."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pimsim.explore.evaluate import DONE, FAILED, INFEASIBLE, Outcome, check_code
from pimsim.explore.objectives import OBJECTIVES, broken_limit
from pimsim.explore.plan import SweepPlan
from pimsim.explore.points import DesignPoint, Task
from pimsim.explore.store import Store


class Workers(Protocol):
    """Where points are simulated."""

    @property
    def busy(self) -> int:
        """Points in flight."""

    @property
    def has_room(self) -> bool:
        """True if another task can be taken."""

    def submit(self, task: Task) -> None:
        """Take a task; only when there is room."""

    def wait(self) -> Outcome:
        """The next finished point; only when some are in flight."""

    def close(self) -> None:
        """Give up what is in flight and let go of the workers."""


@dataclass
class Progress:
    """How far a sweep is. ``simulated`` points are those of this run; the others were in the store before. ``repeated``: trials of a search that chose a point again."""

    total: int = 0
    done: int = 0
    infeasible: int = 0
    failed: int = 0
    simulated: int = 0
    repeated: int = 0
    best: float | None = None
    best_settings: dict[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """Points that need nothing more."""
        return self.done + self.infeasible + self.failed


Watcher = Callable[[Progress], None]


class Session:
    """A sweep while it runs: its plan, its store, its workers (started when first needed) and its progress."""

    def __init__(self, plan: SweepPlan, store: Store, workers: Callable[[], Workers], watch: Watcher | None) -> None:
        self.plan, self.store, self.progress = plan, store, Progress()
        self._start_workers, self._watch = workers, watch
        self._workers: Workers | None = None
        self._known = store.statuses()
        self._points: dict[str, DesignPoint] = {}
        self._counted: set[str] = set()
        self._met_another = False

    def run(self, points: Sequence[DesignPoint]) -> None:
        """Bring every one of ``points`` into the store."""
        self._points.update({point.key: point for point in points})
        missing = []
        for point in points:
            if point.refused:
                self._count(point, INFEASIBLE)
            elif not self._in_store(point):
                missing.append(point)
        at, chance = 0, random.SystemRandom()
        self._met_another = True
        while missing:
            workers = self._workers_with_room()
            # Begin anywhere, and again where another process is or has been: two that run one sweep then stay apart.
            at = chance.randrange(len(missing)) if self._met_another else at % len(missing)
            point = missing.pop(at)
            self._met_another = self._in_store(point)
            if not self._met_another:
                workers.submit(point.task)
        while self._workers is not None and self._workers.busy:
            self._take(self._workers.wait())

    def _in_store(self, point: DesignPoint) -> bool:
        """True if the point needs no simulation, also if another process has brought it since."""
        status = self._known.get(point.key) or self.store.status(point.key)
        if status is None or status == FAILED:
            return False
        self._known[point.key] = status
        self._count(point, status)
        return True

    def _workers_with_room(self) -> Workers:
        if self._workers is None:
            self._workers = self._start_workers()
        while not self._workers.has_room:
            self._take(self._workers.wait())
        return self._workers

    def _take(self, outcome: Outcome) -> None:
        if getattr(outcome, "code", "") or outcome.status != FAILED:  # a point whose worker was lost was computed by nobody
            check_code(outcome)
        self._met_another |= not self.store.add(outcome)
        self._known[outcome.key] = outcome.status
        self.progress.simulated += 1
        self._count(self._points[outcome.key], outcome.status, outcome.row)

    def _count(self, point: DesignPoint, status: str, row: dict[str, Any] | None = None) -> None:
        if point.key in self._counted:
            return
        self._counted.add(point.key)
        progress = self.progress
        if status == DONE:
            found = row if row is not None else self.store.columns(point.key) or {}
            status = INFEASIBLE if broken_limit(self.plan.spec.limits, found) else DONE
            if status == DONE:
                self._note_best(point, found)
        setattr(progress, status, getattr(progress, status) + 1)
        if self._watch:
            self._watch(progress)

    def _note_best(self, point: DesignPoint, row: dict[str, Any]) -> None:
        objective = OBJECTIVES[self.plan.objectives[0]]
        value, best = row.get(objective.name), self.progress.best
        if value is not None and (best is None or (value > best if objective.maximise else value < best)):
            self.progress.best, self.progress.best_settings = value, point.settings

    def close(self) -> None:
        """Let go of workers and store."""
        if self._workers is not None:
            self._workers.close()
        self.store.close()
