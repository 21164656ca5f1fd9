"""Prepares a whole set: shards in parallel, each kept once it is there."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from sr_data.prepare.shard_writer import ShardJob, ShardResult, ensure_shard
from sr_data.prepare.tile_manifest import (
    PLAN,
    SHARDS,
    Manifest,
    Skipped,
    TileSettings,
    check_plan,
    read_manifest,
    write_manifest,
    write_plan,
)
from sr_data.prepared import PreparedSource
from sr_data.sources import FolderSource, open_source
from sr_data.tfds_source import TfdsSource
from sr_program.engines.engine import Workers
from sr_program.engines.opening import open_engine
from sr_program.engines.schedule import answers
from sr_program.errors import DataError, UsageError
from sr_program.machine.worker_pool import WorkerPool

_Coming = Iterator[tuple[ShardJob, ShardResult]]


@dataclass(frozen=True)
class Outcome:
    """What a preparation did.

    Attributes:
        photos: how many the set holds.
        tiles: how many the set holds.
        size: of all shards, bytes.
        made: how many shards were made; the others were there already.
        replaced: shards that were damaged and have been made anew, their files' names.
        skipped: photos that cannot be used.
    """

    photos: int
    tiles: int
    size: int
    made: int
    replaced: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def prepare(
    data: str,
    output: str | os.PathLike[str],
    settings: TileSettings,
    workers: int,
    cluster: Workers | None = None,
) -> Outcome:
    """Cuts the photos of a source into tiles with their LR, and writes them as a prepared set.

    The set's bytes depend on the photos and the settings alone. What an earlier call with the same
    arguments completed is verified by its checksums and kept.

    Args:
        data: the source, `folder:DIR` or `tfds:NAME`.
        output: folder of the set; its parent exists.
        settings: how to cut.
        workers: processes, each of which holds one photo at a time; 1: this one.
        cluster: workers elsewhere, in place of these; all see `data` and `output` under the same
            names.

    Raises:
        UsageError: an argument is out of range.
        DataError: no photo can be used, the folder holds something else, or another preparation is
            writing to it.
        OSError: the set cannot be written.
    """
    settings.check()
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
    source = open_source(data)
    if isinstance(source, PreparedSource):
        raise UsageError(f"--data={data} is prepared already; name the photos themselves")
    directory, names = Path(output), source.names
    if cluster is not None:  # whose processes have other current folders
        directory = directory.absolute()
        data = f"folder:{source.directory.absolute()}" if isinstance(source, FolderSource) else data
    _begin(directory, settings, names, _file_sizes(source))
    with _locked(directory), _without_left_overs(directory / SHARDS):
        size = settings.shard_size
        jobs = [
            ShardJob(data, first, names[first : first + size], directory, number, settings)
            for number, first in enumerate(range(0, len(names), size))
        ]
        coming = _on(cluster, jobs) if cluster else _results(jobs, min(workers, len(jobs)))
        results = _run(jobs, coming, len(names))
        outcome = _outcome(results, settings)
        if not outcome.photos:
            reason = outcome.skipped[0].reason
            raise DataError(f"{data}: none of {len(names)} photos can be used, as {reason}")
        write_manifest(directory, Manifest(settings, tuple(result.shard for result in results)))
    return outcome


def damaged_shards(directory: str | os.PathLike[str]) -> list[str]:
    """Compares all shards of a prepared set with their checksums.

    Returns:
        The names of those that differ or are missing.

    Raises:
        DataError: the folder holds no complete set.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    progress = tqdm(manifest.shards, desc="verifying", unit="file", disable=None)
    return [shard.file for shard in progress if not shard.is_whole(directory)]


def _file_sizes(source: FolderSource | TfdsSource) -> list[int]:
    """Bytes of the photos' files, which tell photos that have changed; empty without files."""
    return (
        [path.stat().st_size for path in source.paths] if isinstance(source, FolderSource) else []
    )


def _begin(
    directory: Path, settings: TileSettings, names: Sequence[str], sizes: Sequence[int]
) -> None:
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"--output={directory} is a file; name a folder")
    directory.mkdir(exist_ok=True)
    if (directory / PLAN).is_file():
        check_plan(directory, settings, names, sizes)
    elif any(not path.name.startswith(".") for path in directory.iterdir()):
        raise DataError(f"{directory}: holds other files; name a new folder as --output")
    else:
        write_plan(directory, settings, names, sizes)
    (directory / SHARDS).mkdir(exist_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    try:
        with FileLock(directory / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise DataError(
            f"{directory}: another preparation is writing to it; wait for it"
        ) from error


@contextmanager
def _without_left_overs(folder: Path) -> Iterator[None]:
    """Removes the half-written files of processes that were killed, before and after."""
    try:
        for path in folder.glob(".tmp-*"):
            path.unlink(missing_ok=True)
        yield
    finally:
        for path in folder.glob(".tmp-*"):
            path.unlink(missing_ok=True)


def _run(jobs: Sequence[ShardJob], coming: _Coming, photos: int) -> list[ShardResult]:
    """The results in the order of the jobs, however they were shared out."""
    with tqdm(total=photos, desc="preparing", unit="photo", disable=None) as progress:
        results: dict[int, ShardResult] = {}
        for job, result in coming:
            results[job.number] = result
            progress.update(len(job.names))
    return [results[job.number] for job in jobs]


def _on(cluster: Workers, jobs: Sequence[ShardJob]) -> _Coming:
    with open_engine(_shard_maker, cluster) as engine:
        for answer in answers(engine, jobs):
            if answer.is_lost:
                raise DataError(
                    f"{answer.losses} workers were killed while they made {answer.item.file}, "
                    "perhaps because memory ran out; finished files are kept"
                )
            yield answer.item, answer.result


def _shard_maker() -> Callable[[ShardJob], ShardResult]:
    return ensure_shard


def _results(jobs: Sequence[ShardJob], workers: int) -> _Coming:
    if workers == 1:
        yield from ((job, ensure_shard(job)) for job in jobs)
        return
    others = multiprocessing.active_children()
    pool = WorkerPool(workers, _start_worker)
    try:
        futures = {pool.submit(ensure_shard, job): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException as error:
        # What a worker has in hand takes up to a minute, and is not wanted any more.
        for child in multiprocessing.active_children():
            if child not in others:
                child.terminate()
        if isinstance(error, BrokenProcessPool):
            raise DataError(
                "a worker process was killed, perhaps because memory ran out; run the same command "
                "again with fewer --workers, finished files are kept"
            ) from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for its next job for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _outcome(results: Sequence[ShardResult], settings: TileSettings) -> Outcome:
    photos = [photo for result in results for photo in result.shard.photos]
    return Outcome(
        photos=len(photos),
        tiles=sum(len(photo.grid(settings)) for photo in photos),
        size=sum(result.shard.size for result in results),
        made=sum(result.made for result in results),
        replaced=tuple(result.shard.file for result in results if result.replaced),
        skipped=tuple(skipped for result in results for skipped in result.shard.skipped),
    )
