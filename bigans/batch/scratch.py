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
    """The folder of one process; it lasts as long as the process, at most."""

    def __init__(self, root: Path) -> None:
        """Makes the folder, and removes those of processes that were killed.

        Args:
            root: Of the folders of all processes; made if it is missing.
        """
        root.mkdir(parents=True, exist_ok=True)
        remove_dead(root)
        name = uuid.uuid4().hex[:12]
        self._open = contextlib.ExitStack()
        self._open.enter_context(leftovers.locked_file(root / f"{leftovers.PREFIX}{name}"))
        self._folder = root / name
        self._folder.mkdir()

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Yields an empty folder for one photo, which is gone afterwards."""
        path = self._folder / uuid.uuid4().hex[:12]
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


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
