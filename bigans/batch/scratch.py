"""Folders for unfinished files, known by a lock as those of processes that are still there.

A result on a disk is begun in the output folder itself, from where a rename gives it its name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from bigans.batch.store import Place
from sr_program.files import leftovers

_OF_SYSTEM = "bigans-batch"
OWN = ".bigans"
_SCRATCH = "scratch"


class Scratch:
    """Makes a folder for each photo; processes may make theirs at one place."""

    def __init__(self, root: Path) -> None:
        """Removes the folders of processes that were killed.

        Args:
            root: Of the folders of all processes; made when it is needed.
        """
        self._root = root
        remove_dead(root)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Yields an empty folder, which is gone afterwards."""
        name = uuid.uuid4().hex[:12]
        lock, path = self._root / f"{leftovers.PREFIX}{name}", self._root / name
        with self._locked(lock):
            path.mkdir()
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)
                lock.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, lock: Path) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for last in (False, False, True):
                self._root.mkdir(parents=True, exist_ok=True)
                try:
                    stack.enter_context(leftovers.locked_file(lock))
                    break
                except FileNotFoundError:  # a run that ended has just removed the root
                    if last:
                        raise
            yield


def scratch_root(output: Place) -> Path:
    """Where the folders of all processes lie.

    Args:
        output: Of the results.
    """
    if output.is_local:
        return Path(output.path) / OWN / _SCRATCH
    user = os.getuid() if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()) / f"{_OF_SYSTEM}-{user}"


def remove_dead(root: Path) -> None:
    """Removes the folders of processes that have ended."""
    for lock in root.glob(f"{leftovers.PREFIX}*"):
        leftovers.remove_leftover(lock)
        if not lock.exists():
            shutil.rmtree(root / lock.name.removeprefix(leftovers.PREFIX), ignore_errors=True)


def remove_root(root: Path) -> None:
    """Removes what processes have left that have ended, and the root if nothing is left in it."""
    remove_dead(root)
    for folder in (root, root.parent):
        if folder.name in (OWN, root.name):
            with contextlib.suppress(OSError):
                folder.rmdir()
