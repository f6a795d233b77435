"""Workers of an existing Dask cluster: the same tasks and outcomes as local ones, nothing shared but the package."""

from __future__ import annotations

import time
import traceback
import uuid
from typing import TYPE_CHECKING, Any

from pimsim.errors import ClusterError
from pimsim.explore.evaluate import FAILED, Outcome, evaluate
from pimsim.explore.points import Task
from pimsim.result.provenance import package_version

if TYPE_CHECKING:
    from distributed import Future

CONNECT_TIMEOUT_S = 20
_AHEAD = 2
_LOOK_AGAIN_S = 2.0


class DaskWorkers:
    """The workers behind a scheduler's address. The scheduler itself retries the points of lost workers."""

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client, as_completed
        except ImportError:
            raise ClusterError("--scheduler needs Dask: pip install 'pimsim[cluster]'") from None
        try:
            self._client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(f"{address}: no Dask scheduler answers within {CONNECT_TIMEOUT_S} s ({error})") from None
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_TIMEOUT_S)
            _check_versions(self._client.run(package_version), address)
        except ClusterError:
            self._client.close()
            raise
        except Exception as error:
            self._client.close()
            raise ClusterError(f"{address}: its workers cannot be used: {type(error).__name__}: {error}") from None
        self._finished: Any = as_completed(loop=self._client.loop)
        self._keys: dict[Future, str] = {}
        self._looked_s, self._threads = 0.0, 1

    @property
    def busy(self) -> int:
        """Points in flight."""
        return len(self._keys)

    @property
    def has_room(self) -> bool:
        """True while fewer points are in flight than keep every worker busy without waiting for the driver."""
        if time.monotonic() - self._looked_s > _LOOK_AGAIN_S:
            self._threads = max(1, sum(self._client.nthreads().values()))
            self._looked_s = time.monotonic()
        return self.busy < _AHEAD * self._threads

    def submit(self, task: Task) -> None:
        """Hand ``task`` to the scheduler."""
        future = self._client.submit(evaluate, task, pure=False, key=f"pimsim-{task.key[:16]}-{uuid.uuid4().hex}")
        self._keys[future] = task.key
        self._finished.add(future)

    def wait(self) -> Outcome:
        """The next finished point; failed if the scheduler gave it up."""
        future = next(self._finished)
        key = self._keys.pop(future)
        try:
            outcome: Outcome = future.result()
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            outcome = Outcome(key, FAILED, reason=f"{type(error).__name__}: {error}", traceback=trace)
        return outcome

    def close(self) -> None:
        """Give up points in flight and leave the cluster; once is enough."""
        if self._client.status == "closed":
            return
        self._client.cancel(list(self._keys))
        self._client.close()


def _check_versions(versions: dict[str, str], address: str) -> None:
    others = sorted({version for version in versions.values() if version != package_version()})
    if others:
        raise ClusterError(
            f"{address}: workers run pimsim {', '.join(others)}, this is {package_version()}: results would differ; update them"
        )
