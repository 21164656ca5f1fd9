"""The batches of a run in their order, each cut out while the ones before train."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

from sr_data.patches import PatchDataset


class BatchReader:
    """Hands out the batches of updates first + 1 … last; a context manager.

    Attributes:
        waiting_share: Which share of the time since the first batch went by waiting for batches.
    """

    def __init__(self, dataset: PatchDataset, first: int, last: int) -> None:
        """Starts with the first batch.

        Args:
            dataset: Batch `index` of epoch `epoch` is a function of both.
            first: Updates done.
            last: Updates to do in all.
        """
        self._dataset = dataset
        self._next = first
        self._last = last
        self._ready: deque[Future] = deque()
        # One thread: the dataset's epoch is set for each batch.
        self._cutter = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._begun = 0.0
        self._waited = 0.0
        self._order(1)

    def take(self, count: int) -> list[Any]:
        """The next batches; as many more are begun, for the next call."""
        self._begun = self._begun or time.perf_counter()
        self._order(2 * count)
        before = time.perf_counter()
        batches = [self._ready.popleft().result() for _ in range(count)]
        self._waited += time.perf_counter() - before
        return batches

    @property
    def waiting_share(self) -> float:
        """See the class."""
        passed = time.perf_counter() - self._begun
        return self._waited / passed if self._begun and passed else 0.0

    def _order(self, count: int) -> None:
        """Begins batches until `count` are on their way."""
        while len(self._ready) < count and self._next < self._last:
            self._ready.append(self._cutter.submit(self._cut, self._next))
            self._next += 1

    def _cut(self, step: int) -> Any:
        self._dataset.epoch, index = divmod(step, len(self._dataset))
        return self._dataset[index]

    def __enter__(self) -> BatchReader:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Forgets the batches that nobody took."""
        self._cutter.shutdown(cancel_futures=True)
