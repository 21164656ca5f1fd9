"""A run: photos are listed, shared out to workers, and what becomes of them is written down.

It knows neither what a worker does with a photo nor where workers are: the same run scores images.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bigans.batch.entries import Entry, entries
from bigans.batch.ledger import Ledger, Names
from bigans.batch.manifest import FAILED, Shards, read_manifest, write_manifest
from bigans.batch.photo import Outcome, Photo
from bigans.batch.rates import Rates
from bigans.batch.scratch import OWN, remove_root, scratch_root
from bigans.batch.store import Place, open_place
from sr_program.engines.engine import Workers
from sr_program.engines.opening import open_engine
from sr_program.engines.schedule import Answer, answers
from sr_program.errors import DataError, UsageError

# A run that has done nothing and failed so often is stopped, whatever may be said of failures.
_HOPELESS = 100
_MOST_TOLD = 20

Make = Callable[[], Callable[[Photo], Outcome]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """What is to be done.

    Attributes:
        input: As for `entries`.
        output: Path or address of the folder of results.
        make: Makes the function of a worker.
        names: Of a photo's result, the best first.
        workers: Where the work is done.
        max_failures: The run is stopped when more photos than this have failed; None: when 100 have
            failed and none is done.
        unit: What an item is, in the singular.
        writes_pictures: Whether results are pictures. None of the photos may lie where they go.
        log_seconds: Between two lines of progress in a log.
    """

    input: str
    output: str
    make: Make
    names: Names
    workers: Workers = Workers()
    max_failures: int | None = None
    unit: str = "photo"
    writes_pictures: bool = True
    log_seconds: float = 30.0


@dataclasses.dataclass(frozen=True)
class Summary:
    """How a run ended.

    Attributes:
        done: Photos whose results were made.
        skipped: Photos whose results were there.
        failed: Photos that are listed as failed.
        left: Photos that were not tried, because the run was stopped.
        repeated: Times that a photo was handed out again because its worker was lost.
    """

    done: int
    skipped: int
    failed: int
    left: int
    repeated: int


def run(batch: Batch, say: Callable[[str], None]) -> Summary:
    """Does a batch; what earlier runs into the same folder have done is kept.

    Args:
        batch: It.
        say: Tells a person one line.

    Raises:
        UsageError: The batch makes no sense, or photos lie where results go.
        DataError: There is no photo; another run writes into the folder; the workers do not start.
        OSError: The folder of results cannot be written.
    """
    output = open_place(batch.output, "output")
    output.make_folder()
    with _alone(output), contextlib.closing(Ledger()) as ledger:
        read_manifest(output, ledger)
        found = entries(batch.input, output)
        twice = ledger.add(_outside(found, output) if batch.writes_pictures else found, batch.names)
        total = ledger.count()
        if not total:
            raise DataError(f"{batch.input}: holds no {batch.unit} that can be read")
        if twice:
            say(f"{twice} of {total + twice} {batch.unit}s are listed twice, and taken once")
        for _, why in itertools.islice(ledger.failures(), _MOST_TOLD):
            say(why)
        try:
            repeated = _work(batch, output, ledger, say)
        finally:
            remove_root(scratch_root(output))
        write_manifest(output, ledger)
        return Summary(
            done=ledger.count("done"),
            skipped=ledger.count("skipped"),
            failed=ledger.count("failed"),
            left=ledger.count("open"),
            repeated=repeated,
        )


def _work(batch: Batch, output: Place, ledger: Ledger, say: Callable[[str], None]) -> int:
    repeated = 0
    with (
        Shards(output) as shards,
        Rates(ledger.count("open"), batch.unit, batch.log_seconds) as rates,
        _answers(batch, ledger) as coming,
    ):
        for answer in coming:
            outcome = _outcome(answer)
            repeated += answer.losses
            photo: Photo = answer.item
            record = ledger.close_photo(photo, outcome)
            if record is not None:
                shards.add(photo.output, photo.input, record)
            shards.tick()
            rates.add(outcome)
            if outcome.status == "failed":
                if rates.counts["failed"] <= _MOST_TOLD:
                    say(outcome.problem)
                if why := _why_to_stop(batch, rates):
                    say(f"stopped: {why}; {FAILED} has the reasons")
                    break
    return repeated


@contextlib.contextmanager
def _answers(batch: Batch, ledger: Ledger) -> Iterator[Iterator[Answer]]:
    if not ledger.count("open"):
        yield iter(())
        return
    with open_engine(batch.make, batch.workers) as engine:
        yield answers(engine, ledger.open_photos())


def _outcome(answer: Answer) -> Outcome:
    if not answer.is_lost:
        return answer.result
    photo: Photo = answer.item
    problem = (
        f"{photo.input}: {answer.losses} workers were killed while they had it in hand, perhaps "
        "because memory ran out"
    )
    return Outcome(number=photo.number, status="failed", problem=problem)


def _why_to_stop(batch: Batch, rates: Rates) -> str:
    failed = rates.counts["failed"]
    if batch.max_failures is not None:
        return f"more than max_failures={batch.max_failures} failed" * (failed > batch.max_failures)
    if failed >= _HOPELESS and failed == rates.counts.total():
        return f"the first {failed} {batch.unit}s all failed"
    return ""


def _outside(found: Iterable[Entry], output: Place) -> Iterator[Entry]:
    """The entries, if none lies where results go.

    There a result could replace a photo, and the next run would take results for photos.

    Raises:
        UsageError: One does.
    """
    inner = (_real(output.path) if output.is_local else str(output)).rstrip("/") + "/"
    for entry in found:
        folder, slash, _ = entry.address.rpartition("/")
        is_path = output.is_local and "://" not in folder
        place = _real(folder or slash) if is_path else folder
        if not entry.problem and f"{place.rstrip('/')}/".startswith(inner):
            raise UsageError(
                f"{entry.address} lies in the folder of results, output={output}, and could be "
                "replaced by one; name another folder"
            )
        yield entry


@functools.lru_cache(maxsize=256)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


@contextlib.contextmanager
def _alone(output: Place) -> Iterator[None]:
    """Within it no other run writes into a folder of this machine's disks."""
    if not output.is_local:
        yield
        return
    lock = Path(output.path) / f"{OWN}.lock"
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except Timeout as error:
        raise DataError(f"{output}: another batch is writing to it; wait for it") from error


def result_names(suffix: str, extension: str) -> Names:
    """Names of results: cat.jpg → cat_x4.png, or cat_jpg_x4.png where another photo has that.

    Args:
        suffix: As "_x4".
        extension: As ".png".
    """

    def names(entry: Entry) -> Iterator[str]:
        folder, slash, name = entry.relative.rpartition("/")
        stem, dot, end = name.rpartition(".")
        stem, tagged = (stem, f"{stem}_{end}") if dot and stem else (name, name)
        number = 1
        yield f"{folder}{slash}{stem}{suffix}{extension}"
        yield f"{folder}{slash}{tagged}{suffix}{extension}"
        while True:
            number += 1
            yield f"{folder}{slash}{tagged}_{number}{suffix}{extension}"

    return names
