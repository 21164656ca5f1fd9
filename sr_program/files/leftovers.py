"""Temporary files whose writer was killed, told from those that are being written by their lock.

A lock ends with the process that holds it, however it ends, and is seen by other containers and,
over NFS, by other machines; a process's number is not. Where files cannot be locked (Windows, some
network file systems) leftovers stay.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Other temporary files are not locked, and must not be taken for leftovers.
PREFIX = ".part-"


@contextlib.contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Within it an empty new file exists and is locked; the block may overwrite, not replace it.

    Args:
        path: A file that does not exist; its name begins with `PREFIX`.

    Raises:
        OSError: It cannot be made.
    """
    if fcntl is None:
        yield
        return
    descriptor = _made_and_locked(path)
    try:
        yield
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Removes files of `locked_file` that are not locked any more; what cannot be removed stays."""
    for path in folder.glob(f"{PREFIX}*"):
        remove_leftover(path)


def remove_leftover(path: Path) -> None:
    """Removes a file of `locked_file`, unless it is locked or cannot be removed."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)


def _made_and_locked(path: Path) -> int:
    """A descriptor that keeps the lock until it is closed."""
    assert fcntl is not None
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # taken for a leftover before it was locked
