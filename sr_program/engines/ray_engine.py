"""Workers that are actors of a Ray cluster.

An actor whose process or node is lost is started again by Ray, on another node if need be; it gets
items again when it has answered. Results and photos do not pass through Ray's object store.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sr_program.engines.engine import Engine, Make, WorkerLost, Workers
from sr_program.errors import DataError, UsageError, reason
from sr_program.machine.threads import available_cores, limit_threads

# Ray's own limits are too short for a machine that is busy. They are read when it is imported.
_LIMITS = {
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_raylet_start_wait_time_s": "300",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_gcs_server_request_timeout_seconds": "120",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "120",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    # A call that comes too late must not start another cluster.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
for _name, _value in _LIMITS.items():
    os.environ.setdefault(_name, _value)

import ray  # noqa: E402
from ray import exceptions  # noqa: E402
from ray.util.metrics import Counter, Histogram  # noqa: E402

_STORE_BYTES = 100_000_000
_SECONDS_TO_START = 600.0
_SECONDS_TO_RETRY = 2.0
_LOST = (
    exceptions.RayActorError,
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
)


class RayEngine(Engine):
    """A cluster that is there, or one node of this machine."""

    def __init__(self, make: Make, workers: Workers) -> None:
        """Connects, and waits for the first worker.

        Raises:
            DataError: The cluster cannot be reached or has no room.
            UsageError: The workers ask for what no node has.
        """
        self._folder: str | None = None
        self._lock = threading.Lock()
        self._closing = False
        self._error: Exception | None = None
        try:
            self._connect(workers)
            self._actors = [_Actor(self, make, workers) for _ in range(_number(workers))]
            self._wait_for_the_first()
        except BaseException:
            self.close()
            raise

    def room(self) -> int:
        """See `Engine`."""
        if self._error is not None:
            raise self._error
        with self._lock:
            return sum(actor.calls for actor in self._actors if actor.is_ready)

    def submit(self, item: Any) -> Future[Any]:
        """See `Engine`."""
        with self._lock:
            ready = [actor for actor in self._actors if actor.is_ready]
            if not ready:
                lost: Future[Any] = Future()
                lost.set_exception(WorkerLost())
                return lost
            chosen = min(ready, key=lambda actor: actor.in_hand)
            chosen.in_hand += 1
        return chosen.call(item)

    def close(self) -> None:
        """See `Engine`."""
        self._closing = True
        for actor in getattr(self, "_actors", ()):
            with contextlib.suppress(Exception):
                actor.end()
        ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self, workers: Workers) -> None:
        quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
        address = workers.address
        if address is None:
            # Short: the sockets in it have names of at most 107 bytes.
            self._folder = tempfile.mkdtemp(prefix="ray-")
            quiet |= {
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "num_cpus": max(available_cores(), workers.number * workers.cpus),
                "_temp_dir": self._folder,
                # Otherwise an address in the environment is taken.
                "address": "local",
            }
        else:
            quiet["address"] = address
        before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            ray.init(**quiet)
        except (OSError, ValueError, RuntimeError) as error:
            place = address or "a node of this machine"
            raise DataError(f"{place}: Ray does not start ({reason(error, most=300)})") from error
        finally:
            # Ray's own would end the program without cleaning up.
            with contextlib.suppress(ValueError):  # not in the main thread
                for one, handler in before.items():
                    signal.signal(one, handler)

    def _wait_for_the_first(self) -> None:
        until = time.monotonic() + _SECONDS_TO_START
        while not self.room():
            if time.monotonic() > until:
                raise DataError(
                    f"no Ray worker has come up in {_SECONDS_TO_START:.0f} s; is there a node with "
                    "so many free cores and GPUs?"
                )
            time.sleep(0.05)

    def fail(self, error: Exception) -> None:
        """What makes the function raised in a worker; it would in all of them."""
        self._error = error


class _Actor:
    """The handle of an actor, and whether it is there."""

    def __init__(self, engine: RayEngine, make: Make, workers: Workers) -> None:
        self._engine, self.calls = engine, workers.calls
        self.is_ready, self.in_hand = False, 0
        self._timer: threading.Timer | None = None
        remote: Any = ray.remote
        kind = remote(
            num_cpus=workers.cpus,
            num_gpus=workers.gpus,
            max_restarts=-1,
            max_task_retries=0,
            # One more, which asks whether it is there.
            max_concurrency=workers.calls + 1,
        )(_Worker)
        self.handle: Any = kind.remote(pickle.dumps(make), workers.cpus)
        self._ask()

    def call(self, item: Any) -> Future[Any]:
        ours: Future[Any] = Future()

        def ended(theirs: Future[Any]) -> None:
            with self._engine._lock:
                self.in_hand -= 1
            try:
                ours.set_result(theirs.result())
            except _LOST:
                self._lost()
                ours.set_exception(WorkerLost())
            except BaseException as error:
                ours.set_exception(_cause(error))

        self.handle.call.remote(item).future().add_done_callback(ended)
        return ours

    def end(self) -> None:
        """Ends it at once."""
        if self._timer is not None:
            self._timer.cancel()
        ray.kill(self.handle)

    def _lost(self) -> None:
        with self._engine._lock:
            asks, self.is_ready = self.is_ready, False
        if asks:
            self._ask()

    def _ask(self) -> None:
        """Is it there? The answer comes when it has been started."""

        def answered(future: Future[Any]) -> None:
            try:
                future.result()
            except _LOST:
                if not self._engine._closing:
                    timer = threading.Timer(_SECONDS_TO_RETRY, self._ask)
                    timer.daemon = True
                    timer.start()
                    self._timer = timer
            except BaseException as error:
                cause = _cause(error)
                if isinstance(cause, Exception):
                    self._engine.fail(cause)
            else:
                self.is_ready = True

        if self._engine._closing:
            return
        with contextlib.suppress(Exception):  # Ray is being shut down
            self.handle.ready.remote().future().add_done_callback(answered)


class _Worker:
    """What an actor does; it counts for Ray's metrics."""

    def __init__(self, make: bytes, cpus: int) -> None:
        # Ray would let it finish what it has in hand, for which a spot instance has no time.
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
        limit_threads(cpus)
        self._function: Callable[[Any], Any] | None = None
        self._error: Exception | None = None
        try:
            self._function = pickle.loads(make)()
        except Exception as error:  # told by `ready`: here it would be taken for a crash
            self._error = error
        tags = {"worker": f"{socket.gethostname()}:{os.getpid()}"}
        self._items = Counter("bigans_items_total", "Items by outcome.", ("worker", "status"))
        self._seconds = Histogram(
            "bigans_item_seconds",
            "From taking an item to its answer.",
            boundaries=[0.1, 0.3, 1, 3, 10, 30, 100, 300],
            tag_keys=("worker",),
        )
        self._items.set_default_tags(tags)
        self._seconds.set_default_tags(tags)

    def ready(self) -> None:
        """Answers when the function is made; raises what kept it from being made."""
        if self._error is not None:
            raise self._error

    def call(self, item: Any) -> Any:
        """Calls the function."""
        assert self._function is not None
        began = time.monotonic()
        result = self._function(item)
        self._items.inc(1, {"status": str(getattr(result, "status", "done"))})
        self._seconds.observe(time.monotonic() - began)
        return result


def _number(workers: Workers) -> int:
    """How many workers the cluster has room for, if nobody has said."""
    there = ray.cluster_resources()
    if workers.gpus and there.get("GPU", 0) < workers.gpus:
        raise UsageError(f"gpus_per_worker={workers.gpus:g}: the cluster has no such GPU")
    by_cpu = int(there.get("CPU", 0) // workers.cpus)
    by_gpu = int(there.get("GPU", 0) / workers.gpus) if workers.gpus else by_cpu
    return workers.number or max(1, min(by_cpu, by_gpu))


def _cause(error: BaseException) -> BaseException:
    """What was raised in the worker, without Ray's own words around it."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(error, exceptions.RayTaskError) and cause is not None else error
