"""The program's folder in the user's cache, which several processes may use at once."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock
import platformdirs
from absl import logging

from sr_program.errors import DataError, reason
from sr_program.files.atomic_write import atomic_directory
from sr_program.files.sealed import seal

CACHE_VARIABLE = "BIGANS_CACHE"


def cache_folder(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Where the program keeps what it can make or download again.

    Args:
        cache_dir: the folder; by default the one that the environment variable BIGANS_CACHE names,
            else the user's cache folder of this system.
    """
    named = cache_dir or os.environ.get(CACHE_VARIABLE)
    return Path(named or platformdirs.user_cache_dir("bi-gans-st", appauthor=False))


@contextlib.contextmanager
def writing(cache: Path) -> Iterator[None]:
    """Within it no other process writes to the cache.

    Raises:
        DataError: the folder cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(cache / ".lock"):
            yield
    except OSError as error:
        raise DataError(
            f"{cache}: cannot keep the models here ({reason(error)}); "
            f"name another folder in the environment variable {CACHE_VARIABLE}"
        ) from error


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yields a new directory that becomes `target`, with its hashes; the caller holds the lock.

    What was there is told to be damaged.
    """
    if target.exists():
        logging.warning("%s is damaged; it is made again", target)
    if target.is_file():
        target.unlink()
    with atomic_directory(target) as temporary:
        yield temporary
        seal(temporary)


def remove_leftovers(cache: Path) -> None:
    """Removes directories that killed processes have left; the caller holds the lock."""
    for path in cache.glob(".tmp-*"):
        shutil.rmtree(path, ignore_errors=True)


def keep_newest(paths: list[Path], number: int) -> None:
    """Removes directories, but for those that were used last."""
    by_age = sorted(paths, key=lambda path: path.stat().st_mtime)
    for path in by_age[: max(0, len(by_age) - number)]:
        shutil.rmtree(path, ignore_errors=True)


def mark_as_used(directory: Path) -> None:
    """Makes a directory the newest for `keep_newest`, where it can be written."""
    try:
        os.utime(directory)
    except OSError:
        logging.debug("%s is read-only", directory)
