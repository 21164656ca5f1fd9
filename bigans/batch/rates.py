"""How a batch gets on: photos done, per second, what is left, failures, each worker's rate."""

from __future__ import annotations

import collections
import sys
import time

from tqdm import tqdm

from bigans.batch.photo import Outcome

# On a terminal the line is renewed by tqdm; in a log a line comes so often, seconds.
_SECONDS = 30.0

# The rate is that of the last so many seconds, or of all if the run is younger.
_WINDOW = 120.0
_MOST_WORKERS = 8


class Rates:
    """Counts outcomes and tells of them on stderr; a context manager.

    Args:
        total: Photos of the batch.
        unit: What an item is, in the singular.
        seconds: Between two lines in a log.
    """

    def __init__(self, total: int, unit: str = "photo", seconds: float = _SECONDS) -> None:
        self._total, self._unit, self._seconds = total, unit, seconds
        self._bar = tqdm(total=total, unit=unit, disable=None)
        self._told = self._began = time.monotonic()
        self.counts: collections.Counter[str] = collections.Counter()
        self.by_worker: collections.Counter[str] = collections.Counter()
        self._recent: collections.deque[float] = collections.deque()

    def add(self, outcome: Outcome) -> None:
        """Counts an outcome, and tells if it is time."""
        now = time.monotonic()
        self.counts[outcome.status] += 1
        if outcome.status != "skipped":
            self._recent.append(now)
        if outcome.status == "done":
            self.by_worker[outcome.worker] += 1
        while self._recent and now - self._recent[0] > _WINDOW:
            self._recent.popleft()
        self._bar.update()
        if self._bar.disable and now - self._told >= self._seconds:
            self._told = now
            self.write(self.line(now))
        elif not self._bar.disable:
            self._bar.set_postfix_str(f"{self.counts['failed']} failed", refresh=False)

    def write(self, text: str) -> None:
        """Writes a line of its own, above the bar."""
        tqdm.write(text, file=sys.stderr)

    def rate(self, now: float) -> float:
        """Photos a second, of late; those that were skipped do not count."""
        return len(self._recent) / max(min(now - self._began, _WINDOW), 1e-9)

    def line(self, now: float) -> str:
        """How far it is."""
        ended = self.counts.total()
        rate = self.rate(now)
        text = f"{self._unit} {ended} of {self._total}, {rate:.2f}/s"
        if rate:
            text += f", {_duration((self._total - ended) / rate)} left"
        text += f", {self.counts['failed']} failed"
        if self.counts["skipped"]:
            text += f", {self.counts['skipped']} as they were"
        return f"{text}; {self._workers(now)}" if self.by_worker else text

    def _workers(self, now: float) -> str:
        """Those that differ most are the first and the last."""
        seconds = max(now - self._began, 1e-9)
        ranked = self.by_worker.most_common()
        shown = ranked
        if len(ranked) > _MOST_WORKERS:
            shown = ranked[: _MOST_WORKERS // 2] + ranked[-_MOST_WORKERS // 2 :]
        told = ", ".join(f"{name} {count / seconds:.2f}/s" for name, count in shown)
        return f"{len(ranked)} workers: {told}"

    def __enter__(self) -> Rates:
        """The run begins."""
        return self

    def __exit__(self, *error: object) -> None:
        """The bar ends."""
        self._bar.close()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
