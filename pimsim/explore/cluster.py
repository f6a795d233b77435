"""Workers of an existing Dask cluster: the same tasks and outcomes as local ones, nothing shared but the package."""

from __future__ import annotations

import contextlib
import logging
import time
import traceback
import uuid
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from pimsim.errors import ClusterError
from pimsim.explore.evaluate import FAILED, Outcome, evaluate, signature
from pimsim.explore.points import Task
from pimsim.result.provenance import package_version

if TYPE_CHECKING:
    from distributed import Future

CONNECT_TIMEOUT_S = 20
NO_WORKERS_TIMEOUT_S = 60
_AHEAD = 2
_LOOK_AGAIN_S = 2.0
_POLL_S = 0.005


class DaskWorkers:
    """The workers behind a scheduler's address. The scheduler itself retries the points of lost workers."""

    def __init__(self, address: str) -> None:
        try:
            import dask
            from distributed import Client, as_completed
        except ImportError:
            raise ClusterError("--scheduler needs Dask: pip install 'pimsim[cluster]'") from None
        _check_address(address)
        self.address = address
        try:
            logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said once, below
            with dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_TIMEOUT_S} s"}):
                self._client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except Exception as error:  # whatever the protocols make of a wrong address, certificate or answer
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ClusterError(f"{address}: no Dask scheduler answers within {CONNECT_TIMEOUT_S} s ({why})") from None
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_TIMEOUT_S)
            _check_versions(self._client.run(signature), address)
        except ClusterError:
            self._client.close()
            raise
        except Exception as error:
            self._client.close()
            raise ClusterError(f"{address}: its workers cannot be used: {type(error).__name__}: {error}") from None
        self._finished: Any = as_completed(loop=self._client.loop)
        self._keys: dict[Future, str] = {}
        self._threads = 1
        self._looked_s, self._had_workers_s = 0.0, time.monotonic()

    @property
    def busy(self) -> int:
        """Points in flight."""
        return len(self._keys)

    @property
    def has_room(self) -> bool:
        """True while fewer points are in flight than keep every worker busy without waiting for the driver."""
        self._look()
        return self.busy < _AHEAD * self._threads

    def submit(self, task: Task) -> None:
        """Hand ``task`` to the scheduler."""
        future = self._client.submit(evaluate, task, pure=False, key=f"pimsim-{task.key[:16]}-{uuid.uuid4().hex}")
        self._keys[future] = task.key
        self._finished.add(future)

    def wait(self) -> Outcome:
        """The next finished point; failed if the scheduler gave it up. Raises ClusterError if scheduler or workers are gone."""
        while not self._finished.has_ready():
            self._look()
            time.sleep(_POLL_S)
        future = next(self._finished)
        key = self._keys.pop(future)
        try:
            return self._result(future)
        except ClusterError:
            raise
        except (CancelledError, OSError):  # of the connection: evaluate raises nothing
            raise self._gone("its scheduler is gone or was restarted") from None
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            return Outcome(key, FAILED, reason=f"{type(error).__name__}: {error}", traceback=trace)

    def _result(self, future: Future) -> Outcome:
        """What ``future`` holds, fetched from its worker; if that is lost, the scheduler has it computed again first."""
        while True:
            try:
                outcome: Outcome = future.result(timeout=_LOOK_AGAIN_S)
                return outcome
            except TimeoutError:
                self._look()

    def _look(self) -> None:
        """Count the workers' threads now and then. Raises ClusterError if there have been none for long."""
        now = time.monotonic()
        if now - self._looked_s < _LOOK_AGAIN_S:
            return
        try:
            threads = sum(self._client.nthreads().values())
        except Exception as error:  # whatever a closed connection makes of it
            raise self._gone(f"its scheduler does not answer ({type(error).__name__})") from None
        self._looked_s, self._threads = now, max(1, threads)
        if threads:
            self._had_workers_s = now
        elif now - self._had_workers_s > NO_WORKERS_TIMEOUT_S:
            raise self._gone(f"it has had no workers for {NO_WORKERS_TIMEOUT_S:g} s")

    def _gone(self, why: str) -> ClusterError:
        return ClusterError(f"{self.address}: {why}; finished points are stored, run again to go on")

    def close(self) -> None:
        """Give up points in flight and leave the cluster; once is enough."""
        if self._client.status == "closed":
            return
        with contextlib.suppress(Exception):  # a scheduler that is gone has nothing to cancel
            self._client.cancel(list(self._keys))
        self._client.close()


def _check_address(address: str) -> None:
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import backends

    try:
        protocol, place = parse_address(address)
        known, _ = protocol in backends, parse_host_port(place)
    except ValueError:
        known = False
    if not known:
        raise ClusterError(f"'{address}' is not the address of a Dask scheduler, such as tcp://host:8786")


def _check_versions(signatures: dict[str, tuple[str, str]], address: str) -> None:
    wrong = {found for found in signatures.values() if found != signature()}
    others = sorted({version if version != package_version() else f"{version} of other code" for version, _ in wrong})
    if others:
        raise ClusterError(
            f"{address}: workers run pimsim {', '.join(others)}, this is {package_version()}: results would differ; update them"
        )
