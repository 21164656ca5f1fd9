"""Workers of a Dask cluster: a scheduler and processes, here or elsewhere.

Dask hands out anew what a lost worker had in hand, by itself, and tells of it when that has
happened many times. SIGTERM lets a worker that a nanny watches give back what it has.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.scheduler import KilledWorker

from sr_program.engines.engine import Engine, Make, WorkerLost, Workers
from sr_program.errors import DataError, reason
from sr_program.machine.threads import available_cores, limit_threads

_SETTINGS = {
    # A machine that is busy, or loses many workers, is no reason to give up.
    "distributed.comm.timeouts.connect": "120s",
    "distributed.comm.timeouts.tcp": "300s",
    "distributed.scheduler.allowed-failures": 12,
    # A worker that was killed is known to be so by its connection, one that hangs by this.
    "distributed.scheduler.worker-ttl": "10 minutes",
    "distributed.admin.tick.limit": "60s",
    # Of the workers that are started here.
    "logging.distributed": "critical",
}
_SECONDS_TO_START = 300.0

# How often the number of workers is asked for, seconds.
_LOOK = 2.0


class DaskEngine(Engine):
    """A cluster that is there, or one of this machine's processes."""

    def __init__(self, make: Make, workers: Workers) -> None:
        """Connects, and waits for the first worker.

        Raises:
            DataError: The cluster cannot be reached, or none of its workers comes up.
        """
        for name in [*logging.root.manager.loggerDict]:
            if name.partition(".")[0] == "distributed":
                logging.getLogger(name).setLevel(logging.CRITICAL)
        self._cluster: LocalCluster | None = None
        self._client: Any = None
        self._identity, self._make = uuid.uuid4().hex, pickle.dumps(make)
        self._cpus, self._calls = workers.cpus, workers.calls
        self._room, self._looked = 0, 0.0
        self._configured = dask.config.set(_SETTINGS)
        try:
            self._client = Client(
                workers.address or self._own_cluster(workers), timeout=_SECONDS_TO_START
            )
            self._client.wait_for_workers(1, timeout=_SECONDS_TO_START)
        except (OSError, TimeoutError, ValueError) as error:
            self.close()
            place = workers.address or "a cluster of this machine"
            raise DataError(f"{place}: no Dask worker there ({reason(error)})") from error
        except BaseException:
            self.close()
            raise

    def room(self) -> int:
        """See `Engine`."""
        now = time.monotonic()
        if now - self._looked > _LOOK and self._client is not None:
            self._looked = now
            with contextlib.suppress(OSError, TimeoutError):
                self._room = self._calls * len(self._client.ncores())
        return self._room

    def submit(self, item: Any) -> Future[Any]:
        """See `Engine`."""
        assert self._client is not None
        theirs = self._client.submit(
            _call, self._identity, self._make, self._cpus, item, pure=False
        )
        ours: Future[Any] = Future()

        def ended(future: Any) -> None:
            try:
                ours.set_result(future.result())
            except (KilledWorker, CancelledError):
                ours.set_exception(WorkerLost())
            except BaseException as error:
                ours.set_exception(error)
            future.release()

        theirs.add_done_callback(ended)
        return ours

    def close(self) -> None:
        """See `Engine`."""
        if self._client is not None and self._cluster is None:
            with contextlib.suppress(Exception):
                self._client.run(_forget, self._identity, on_error="ignore")
        # Losing a connection while it is closed is no news.
        for one in (self._client, self._cluster):
            if one is not None:
                with contextlib.suppress(Exception):
                    one.close(timeout=20)
        self._configured.__exit__(None, None, None)

    def _own_cluster(self, workers: Workers) -> LocalCluster:
        number = workers.number or max(1, available_cores() // workers.cpus)
        self._cluster = LocalCluster(
            n_workers=number,
            threads_per_worker=workers.calls,
            processes=True,
            memory_limit=None,
            silence_logs=logging.CRITICAL,
            dashboard_address=None,  # pyright: ignore[reportArgumentType]
        )
        return self._cluster


_functions: dict[str, Callable[[Any], Any]] = {}
_making = threading.Lock()


def _call(identity: str, make: bytes, cpus: int, item: Any) -> Any:
    """Runs in a worker; the function is made by the first call in a process."""
    with _making:
        if identity not in _functions:
            limit_threads(cpus)
            _functions.clear()
            _functions[identity] = pickle.loads(make)()
        function = _functions[identity]
    return function(item)


def _forget(identity: str) -> None:
    """Runs in a worker that stays; a model is large."""
    with _making:
        _functions.pop(identity, None)
