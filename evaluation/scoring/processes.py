"""Scoring in parallel: images are measured in other processes while the next ones are made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cv2

from evaluation.scoring.protocol import Instruments, Scorer, Scores
from sr_program.errors import DataError
from sr_program.machine.worker_pool import WorkerPool

# Read by the linear algebra libraries when a process starts: an image a core is faster than all
# cores on each image, one after the other.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_scorer: Scorer | None = None


@contextlib.contextmanager
def scoring_pool(instruments: Instruments, workers: int) -> Iterator[Executor]:
    """Yields an executor for `score`; leaving it waits for what has been submitted.

    Args:
        instruments: What the measures need; loaded once a process.
        workers: Processes. 0 measures in this process, at once.

    Raises:
        DataError: A scoring process was killed; with 0 workers: a file that `instruments` names is
            not what it should be.
    """
    if workers == 0:
        _start(instruments)
        yield _Here()
        return
    with _one_thread_each():
        pool = WorkerPool(workers, _start_worker, instruments)
        try:
            yield pool
        except BrokenProcessPool as error:
            raise DataError(
                "a scoring process was killed, perhaps for lack of memory; try fewer --workers"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        pool.shutdown()


def score(hr: Any, lr: Any, sr: Any, is_gray: bool) -> Scores:
    """`Scorer.__call__` with the scorer of this process."""
    assert _scorer is not None, "called outside of a scoring pool"
    return _scorer(hr, lr, sr, is_gray=is_gray)


def default_workers() -> int:
    """One process a core that this program may use, at most 16."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4, 16)


class _Here(Executor):
    """Runs what is submitted at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _start(instruments: Instruments) -> None:
    global _scorer
    _scorer = Scorer(instruments)


def _start_worker(instruments: Instruments) -> None:
    cv2.setNumThreads(1)
    _start(instruments)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Within it new processes use one thread each; this one's libraries are loaded already."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
