"""Workers that are processes of this machine: no cluster, no package."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from tqdm import tqdm

from sr_program.engines.engine import Engine, Make, WorkerLost, Workers
from sr_program.errors import DataError
from sr_program.machine.threads import available_cores, limit_threads
from sr_program.machine.worker_pool import ctrl_c_held_back

# A worker that ends so often before it is ready will never be.
_STARTS = 3
_SECONDS_TO_END = 5.0


class LocalEngine(Engine):
    """Processes, each with its own pipe; one that was killed is replaced."""

    def __init__(self, make: Make, workers: Workers) -> None:
        """Starts the processes, and does not wait for them.

        Args:
            make: Makes the function of each.
            workers: How many; 0: one for each `workers.cpus` cores.
        """
        number = workers.number or max(1, available_cores() // workers.cpus)
        content = pickle.dumps(make)
        self._calls = workers.calls
        self._workers = [_Worker(content, workers) for _ in range(number)]

    def room(self) -> int:
        """See `Engine`."""
        return self._calls * len(self._workers)

    def submit(self, item: Any) -> Future[Any]:
        """See `Engine`."""
        return min(self._workers, key=lambda worker: worker.in_hand).submit(item)

    def close(self) -> None:
        """See `Engine`."""
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.wait()


class _Worker:
    """A process, and after it was killed another one."""

    def __init__(self, make: bytes, workers: Workers) -> None:
        self._make, self._settings = make, workers
        self._lock = threading.Lock()
        self._futures: dict[int, Future[Any]] = {}
        self._numbers = itertools.count()
        self._closing, self._starts = False, 0
        self._error: Exception | None = None
        self._start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def in_hand(self) -> int:
        return len(self._futures)

    def submit(self, item: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._error is not None:
                future.set_exception(self._error)
                return future
            number = next(self._numbers)
            self._futures[number] = future
            # If it is just being killed, the reader notices.
            with contextlib.suppress(OSError):
                self._pipe.send((number, item))
        return future

    def end(self) -> None:
        self._closing = True
        self._process.kill()

    def wait(self) -> None:
        self._process.join(_SECONDS_TO_END)
        self._reader.join(_SECONDS_TO_END)

    def _start(self) -> None:
        # Not forked: threads do not survive that.
        context = multiprocessing.get_context("spawn")
        self._pipe, others = context.Pipe()
        settings = self._settings
        self._process = context.Process(
            target=_serve, args=(others, self._make, settings.cpus, settings.calls), daemon=True
        )
        with ctrl_c_held_back():
            self._process.start()
        others.close()
        self._starts += 1

    def _read(self) -> None:
        while True:
            try:
                number, is_good, content = self._pipe.recv()
            except (EOFError, OSError):
                if not self._replaced():
                    return
                continue
            if number is None:
                self._starts = 0
                if not is_good:
                    self._give_up(content)
                    return
                continue
            with self._lock:
                future = self._futures.pop(number)
            future.set_result(content) if is_good else future.set_exception(content)

    def _replaced(self) -> bool:
        """Starts another process in the place of one that ended."""
        with self._lock:
            lost = list(self._futures.values())
            self._futures.clear()
            if not self._closing and self._starts < _STARTS:
                self._pipe.close()
                self._start()
                going_on = True
            else:
                going_on = False
        if not going_on and not self._closing:
            self._give_up(
                DataError(
                    "a worker process ends before it is ready, perhaps because memory runs out; "
                    "try fewer workers"
                )
            )
        for future in lost:
            if not future.done():
                future.set_exception(WorkerLost())
        return going_on

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            self._error = error
            waiting = list(self._futures.values())
            self._futures.clear()
        for future in waiting:
            future.set_exception(error)


def _serve(pipe: Connection, make: bytes, cpus: int, calls: int) -> None:
    """What a worker process does: answers calls until its pipe ends with the program."""
    # Ctrl-C reaches every process of a terminal; the program ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_threads(cpus)
    # tqdm's own is one between processes, which one that is killed leaves behind.
    tqdm.set_lock(threading.RLock())
    lock = threading.Lock()

    def answer(number: int | None, is_good: bool, content: Any) -> None:
        with lock, contextlib.suppress(OSError):
            try:
                pipe.send((number, is_good, content))
            except (pickle.PicklingError, TypeError, AttributeError):
                pipe.send((number, False, RuntimeError(repr(content))))

    try:
        function = pickle.loads(make)()
    except Exception as error:
        answer(None, False, error)
        return
    answer(None, True, None)

    def call(number: int, item: Any) -> None:
        try:
            answer(number, True, function(item))
        except Exception as error:
            answer(number, False, error)

    with ThreadPoolExecutor(calls) as pool:
        while True:
            try:
                number, item = pipe.recv()
            except (EOFError, OSError):
                # What is in hand is not wanted any more, and would keep the process.
                os._exit(1)
            pool.submit(call, number, item)
