"""One training at a time in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
from absl import logging

from sr_program.errors import DataError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Within it no other training may start in the folder.

    The lock is the operating system's, which ends it with the process, however that ends; the file
    that carries it stays and means nothing.

    Args:
        folder: The run folder, which exists.

    Raises:
        DataError: Another training is at work there.
    """
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise DataError(
            f"{folder}: another training is at work in this folder; wait until it has ended, or "
            "name another --run_dir"
        ) from error
    except NotImplementedError:
        logging.warning("%s: this file system has no locks; start no second training here", folder)
    try:
        yield
    finally:
        lock.release()
