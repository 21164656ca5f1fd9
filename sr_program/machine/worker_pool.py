"""Processes that leave Ctrl-C to the one that started them."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any


class WorkerPool(ProcessPoolExecutor):
    """A pool whose processes ignore Ctrl-C from their first moment on.

    Ctrl-C reaches every process of a terminal. The one that made the pool ends it; the others would
    print a traceback each, also while they still import what they need.

    Args:
        workers: Processes.
        initializer: Called in each before its first job.
        *arguments: Of the initializer.
    """

    def __init__(self, workers: int, initializer: Callable[..., None], *arguments: Any) -> None:
        # Not forked: threads, TensorFlow's for example, do not survive that.
        context = multiprocessing.get_context("spawn")
        super().__init__(workers, context, _start, (initializer, arguments))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """See `concurrent.futures.Executor`."""
        # Processes are started here, and start with the signals blocked that are blocked here.
        with ctrl_c_held_back():
            return super().submit(fn, *args, **kwargs)


def _start(initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # What was held back until now is dropped.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    initializer(*arguments)


@contextlib.contextmanager
def ctrl_c_held_back() -> Iterator[None]:
    """Within it Ctrl-C waits, and processes that are started begin with it blocked."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
