"""Signs of life: a bar on a terminal, and a line a minute where stderr goes into a log."""

from __future__ import annotations

import sys
import threading
import time

from tqdm import tqdm

_SECONDS = 60.0

# How often it is looked whether a minute is over, seconds.
_LOOK = 5.0


class Progress:
    """How much of a job is done, on stderr; a context manager.

        with Progress(len(photos), "photo") as progress:
            for photo in photos:
                ...
                progress.update()

    In a log a line comes each minute, also while a single step goes on.

    Args:
        total: Steps of the job.
        unit: What a step is, in the singular.
        leave: Whether the bar stays on the terminal.
    """

    def __init__(self, total: int, unit: str, leave: bool = True) -> None:
        self._bar = tqdm(total=total, unit=unit, leave=leave, disable=None)
        self._total, self._unit = total, unit
        self._done, self._step = 0, ""
        self._start = self._told = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def describe(self, step: str) -> None:
        """Says what is being done: beside the bar, and in the lines of a log.

        Args:
            step: As "saving"; steps that are photos or tiles need no name.
        """
        self._bar.set_description(step)
        with self._lock:
            self._step = f" ({step})"

    def update(self) -> None:
        """Counts a step."""
        self._bar.update()
        with self._lock:
            self._done += 1
        self._tell()

    def write(self, line: str) -> None:
        """Writes a line of the program's own, above the bar."""
        tqdm.write(line, file=sys.stderr)

    def _tell(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._bar.disable and now - self._told >= _SECONDS and self._done < self._total:
                self._told = now
                minutes = round((now - self._start) / 60)
                done = f"{self._unit} {self._done} of {self._total}{self._step}"
                sys.stderr.write(f"{done}, {minutes} min\n")
                sys.stderr.flush()

    def _keep_telling(self) -> None:
        while not self._ended.wait(_LOOK):
            self._tell()

    def __enter__(self) -> Progress:
        """The job begins."""
        if self._bar.disable:
            threading.Thread(target=self._keep_telling, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        """The bar ends."""
        self._ended.set()
        self._bar.close()
