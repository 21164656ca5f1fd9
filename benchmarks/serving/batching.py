"""Requests merged into batches, as TensorFlow Serving does with --enable_batching.

Its rules, from its batching_session.cc and shared_batch_scheduler.h: requests of one signature are
joined along their first axis until a batch is full; a free thread takes the oldest batch, full or
not, once it has waited for the timeout; a batch fails as a whole.
"""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.bare_session import BareSession, ServingError

_INVALID, _PRECONDITION, _UNAVAILABLE = 3, 9, 14


@dataclasses.dataclass(frozen=True)
class BatchingParameters:
    """The fields of a server's --batching_parameters_file.

    Attributes:
        max_batch_size: Images of a batch; a larger request is refused.
        batch_timeout_micros: How long a batch that is not full waits, microseconds.
        num_batch_threads: Batches that are run at once.
        max_enqueued_batches: More than these waiting: UNAVAILABLE.
    """

    max_batch_size: int = 4
    batch_timeout_micros: int = 0
    num_batch_threads: int = 2
    max_enqueued_batches: int = 32


def read_parameters(path: Path) -> BatchingParameters:
    """Reads a batching.config.

    Raises:
        TypeError: It has a field that is not known here.
    """
    text = re.sub(r"#.*", "", path.read_text())
    fields = re.findall(r"(\w+)\s*\{\s*value:\s*(\d+)\s*\}", text)
    return BatchingParameters(**{name: int(value) for name, value in fields})


class Batching:
    """A session whose requests are merged, as a context manager.

    Example:
        with Batching(BatchingParameters()) as batching:
            sr = batching.run(session, "image_only", {"image": image})["sr"]

    Attributes:
        sizes: Images of each batch that was run, in order.
    """

    def __init__(self, parameters: BatchingParameters) -> None:
        """Takes the parameters; threads start with `with`."""
        self.sizes: list[int] = []
        self._parameters = parameters
        self._waiting: deque[_Batch] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(parameters.num_batch_threads)
        ]

    def __enter__(self) -> Batching:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends them; what waits is still answered."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def run(self, session: BareSession, signature: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """A request, which waits for its batch.

        Args:
            session: What is served.
            signature: Its name.
            inputs: Arrays by name; defaults are filled in before they are merged.

        Raises:
            ServingError: The request cannot be merged, too many wait, or its batch failed.
        """
        task = _Task(session.filled(signature, inputs))
        task.check(self._parameters.max_batch_size)
        with self._changed:
            self._place(session, signature, task)
            self._changed.notify()
        return task.answer.result()

    def _place(self, session: BareSession, signature: str, task: _Task) -> None:
        for batch in self._waiting:
            room = self._parameters.max_batch_size - batch.size
            if batch.session is session and batch.signature == signature and task.size <= room:
                batch.tasks.append(task)
                return
        if len(self._waiting) >= self._parameters.max_enqueued_batches:
            raise ServingError(_UNAVAILABLE, "The batch scheduling queue is full")
        self._waiting.append(_Batch(session, signature, [task]))

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            self.sizes.append(batch.size)
            batch.run()

    def _next(self) -> _Batch | None:
        with self._changed:
            while True:
                now = time.monotonic()
                patience = self._parameters.batch_timeout_micros / 1e6
                for batch in self._waiting:
                    full = batch.size >= self._parameters.max_batch_size
                    if full or self._stopped or now - batch.begin >= patience:
                        self._waiting.remove(batch)
                        return batch
                if self._stopped:
                    return None
                oldest = self._waiting[0].begin + patience - now if self._waiting else None
                self._changed.wait(oldest)


@dataclasses.dataclass
class _Task:
    inputs: dict[str, Any]
    answer: Future[dict[str, Any]] = dataclasses.field(default_factory=Future)

    @property
    def size(self) -> int:
        return len(next(iter(self.inputs.values())))

    def check(self, most: int) -> None:
        if any(np.ndim(value) == 0 for value in self.inputs.values()):
            raise ServingError(_INVALID, "Batching input tensors must have at least one dimension")
        if len({len(value) for value in self.inputs.values()}) > 1:
            words = "Batching session Run() input tensors must have equal 0th-dimension size"
            raise ServingError(_INVALID, words)
        if self.size > most:
            words = f"Task size {self.size} is larger than maximum input batch size {most}"
            raise ServingError(_INVALID, words)


@dataclasses.dataclass
class _Batch:
    session: BareSession
    signature: str
    tasks: list[_Task]
    begin: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        return sum(task.size for task in self.tasks)

    def run(self) -> None:
        try:
            outputs = self.session.run(self.signature, **self._merged())
        except Exception as error:
            for task in self.tasks:
                task.answer.set_exception(error)
            return
        ends = np.cumsum([task.size for task in self.tasks])[:-1]
        parts = {name: np.split(value, ends) for name, value in outputs.items()}
        for number, task in enumerate(self.tasks):
            task.answer.set_result({name: part[number] for name, part in parts.items()})

    def _merged(self) -> dict[str, Any]:
        names = self.tasks[0].inputs
        columns = {name: [np.asarray(task.inputs[name]) for task in self.tasks] for name in names}
        for name, values in columns.items():
            if len({value.shape[1:] for value in values}) > 1:
                raise ServingError(
                    _PRECONDITION,
                    f"Tensors with name '{name}' from different tasks have different shapes and "
                    "padding is turned off",
                )
        return {name: np.concatenate(values) for name, values in columns.items()}
