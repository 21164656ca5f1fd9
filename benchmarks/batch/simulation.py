"""A thousand workers, simulated: where the rate stops to grow, and why.

    python -m benchmarks.batch.simulation
    python -m benchmarks.batch.simulation --photo_s=11 --driver_ms=0.5 --store_per_s=3500

Discrete events. Each worker has three photos in hand, as in `sr_program.engines`: one is read, one
computed, one written. A photo takes its time (log-normal), a straggler several times that; a spot
instance is lost at random moments with what it has in hand, and its place is taken after some
minutes by another that has to load the model; a request to the store waits for the store, which
answers so many a second in all; every answer takes the driver's time, and photos are handed out by
the driver alone. The times are those that `benchmarks.batch.rate` and `benchmarks.batch.many`
measured (docs/scale.md).
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from absl import flags

from sr_program import entry_point


@dataclasses.dataclass(frozen=True)
class World:
    """What is simulated; times in seconds.

    Attributes:
        workers: At the start, and again some time after each loss.
        photos: In all.
        photo: Computing, of a photo of mean size.
        spread: Standard deviation of the logarithm of that.
        straggler_share: Of workers.
        straggler_factor: By which they are slower.
        loss_mean: Between two losses of one worker; infinity: none is lost.
        replacement: Until another machine is there.
        load: Of the model.
        request: That the store takes for one request.
        requests_per_photo: Reading, looking and writing.
        store_rate: Requests a second that the store answers in all.
        driver: That the driver takes for a photo.
    """

    workers: int
    photos: int
    photo: float = 11.0
    spread: float = 0.35
    straggler_share: float = 0.02
    straggler_factor: float = 4.0
    loss_mean: float = 4 * 3600.0
    replacement: float = 180.0
    load: float = 8.0
    request: float = 0.08
    requests_per_photo: int = 3
    store_rate: float = 3_500.0
    driver: float = 0.0005


@dataclasses.dataclass
class Told:
    """What came of it.

    Attributes:
        seconds: Until the last photo.
        per_second: Photos.
        efficiency: The rate by that of the same workers if nothing holds them up.
        twice: Photos that were begun again, because their worker was lost.
        store_busy: Share of the time that the store had all that it can do.
        driver_busy: Likewise of the driver.
        tail: Share of the time in which less than half of the workers had anything to do.
    """

    seconds: float
    per_second: float
    efficiency: float
    twice: int
    store_busy: float
    driver_busy: float
    tail: float


class _Server:
    """Answers one after the other."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.free, self.busy = seconds, 0.0, 0.0

    def after(self, now: float, number: int = 1) -> float:
        """When requests that come now are answered."""
        self.free = max(self.free, now) + number * self.seconds
        self.busy += number * self.seconds
        return self.free


class Simulation:
    """One run."""

    def __init__(self, world: World, seed: int = 0) -> None:
        """Prepares it; the same seed gives the same run."""
        self._world, self._random = world, random.Random(seed)
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self._now = 0.0
        self._store = _Server(1 / world.store_rate)
        self._driver = _Server(world.driver)
        self._left, self._done, self._twice = world.photos, 0, 0
        self._life = [0] * world.workers
        self._in_hand = [0] * world.workers
        self._free_at = [0.0] * world.workers
        self._slow = [
            world.straggler_factor if self._random.random() < world.straggler_share else 1.0
            for _ in range(world.workers)
        ]
        self._half_idle_since: float | None = None

    def run(self) -> Told:
        """Runs it to the last photo."""
        world = self._world
        for worker in range(world.workers):
            self._at(world.load, self._start, worker, 0)
        while self._done < world.photos:
            self._now, _, event, arguments = heapq.heappop(self._events)
            event(*arguments)
        rate, most = world.photos / self._now, sum(1 / world.photo / slow for slow in self._slow)
        since = self._now if self._half_idle_since is None else self._half_idle_since
        return Told(
            seconds=self._now,
            per_second=rate,
            efficiency=rate / most,
            twice=self._twice,
            store_busy=min(1.0, self._store.busy / self._now),
            driver_busy=min(1.0, self._driver.busy / self._now),
            tail=1 - since / self._now,
        )

    def _at(self, moment: float, event: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), event, arguments))

    def _start(self, worker: int, life: int) -> None:
        """A worker is ready; it takes three photos, and will be lost some day."""
        self._free_at[worker] = self._now
        if self._world.loss_mean != float("inf"):
            lives = self._random.expovariate(1 / self._world.loss_mean)
            self._at(self._now + lives, self._lose, worker, life)
        for _ in range(3):
            self._take(worker, life)

    def _lose(self, worker: int, life: int) -> None:
        if life != self._life[worker]:
            return
        self._life[worker] += 1
        self._left += self._in_hand[worker]
        self._twice += self._in_hand[worker]
        self._in_hand[worker] = 0
        ready = self._now + self._world.replacement + self._world.load
        self._at(ready, self._start, worker, self._life[worker])

    def _take(self, worker: int, life: int) -> None:
        if life != self._life[worker]:
            return
        if not self._left:
            if self._half_idle_since is None and self._idle():
                self._half_idle_since = self._now
            # What a lost worker had may come back.
            if self._done < self._world.photos:
                self._at(self._now + 5.0, self._take, worker, life)
            return
        self._left -= 1
        self._in_hand[worker] += 1
        handed = self._driver.after(self._now)
        read = self._store.after(handed, self._world.requests_per_photo - 1)
        self._at(read + self._world.request, self._compute, worker, life)

    def _idle(self) -> bool:
        return sum(1 for number in self._in_hand if number) < self._world.workers / 2

    def _compute(self, worker: int, life: int) -> None:
        """The model computes for one photo at a time."""
        if life != self._life[worker]:
            return
        world = self._world
        factor = self._random.lognormvariate(-(world.spread**2) / 2, world.spread)
        begins = max(self._now, self._free_at[worker])
        self._free_at[worker] = begins + world.photo * factor * self._slow[worker]
        self._at(self._free_at[worker], self._write, worker, life)

    def _write(self, worker: int, life: int) -> None:
        if life == self._life[worker]:
            put = self._store.after(self._now) + self._world.request
            self._at(put, self._finish, worker, life)

    def _finish(self, worker: int, life: int) -> None:
        if life == self._life[worker]:
            self._in_hand[worker] -= 1
            self._done += 1
            self._take(worker, life)


def cli_main() -> None:
    """Runs the command."""
    flags.DEFINE_float("photo_s", World.photo, "Seconds of a core for a photo.")
    flags.DEFINE_float("driver_ms", 1000 * World.driver, "Of the driver for a photo.")
    flags.DEFINE_float("store_per_s", World.store_rate, "Requests that the store answers.")
    flags.DEFINE_integer("photos_each", 60, "Photos for each worker.")
    entry_point.run(_main)


def _main(arguments: list[str]) -> int:
    entry_point.refuse_positional(arguments)
    values = flags.FLAGS
    given = {
        "photo": values.photo_s,
        "driver": values.driver_ms / 1000,
        "store_rate": values.store_per_s,
    }
    quick = {**given, "photo": values.photo_s / 10}
    sound = {"straggler_share": 0.0, "loss_mean": float("inf")}
    cases: dict[str, dict[str, Any]] = {
        "nothing goes wrong": {**given, **sound},
        "2 % stragglers, 4 times slower": {**given, "loss_mean": float("inf")},
        "stragglers, a spot loss in 4 h": given,
        "stragglers, a loss in 30 min": {**given, "loss_mean": 1800.0},
        "a loss in 4 h, a store of 100 requests/s": {**given, "store_rate": 100.0},
        "photos ten times smaller": quick,
        "the same, a store of 500 requests/s": {**quick, "store_rate": 500.0},
        "a hundred times smaller (GPUs)": {**given, "photo": values.photo_s / 100},
    }
    print("| | workers | photos/s | efficiency | begun again | store busy | driver busy | tail |")
    print("|---|---|---|---|---|---|---|---|")
    for name, settings in cases.items():
        for workers in (10, 100, 1000):
            told = Simulation(World(workers, values.photos_each * workers, **settings)).run()
            print(
                f"| {name} | {workers} | {told.per_second:.1f} | {told.efficiency:.2f} | "
                f"{told.twice} | {told.store_busy:.0%} | {told.driver_busy:.0%} | "
                f"{told.tail:.0%} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    cli_main()
