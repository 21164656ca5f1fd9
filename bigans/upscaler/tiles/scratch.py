"""Arrays that are read again in the same order: in memory if they fit, else in a nameless file."""

from __future__ import annotations

import io
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from sr_program.errors import DataError, reason

_FLOAT32_BYTES = 4


class Scratch:
    """Float32 arrays on disk, or in memory, as a context manager.

    The file is gone when the block ends, and when the process is killed too: it never has a name
    (on Windows, the system deletes it when it is closed). It is read and written by calls, not
    mapped: pages of a mapped file count as the process's memory.
    """

    def __init__(self, directory: str | os.PathLike[str], needed: int, memory: int = 0) -> None:
        """Makes the file, unless memory suffices.

        Args:
            directory: Where it lies.
            needed: How many bytes will be written.
            memory: How many may be kept in memory.

        Raises:
            DataError: There is no such folder, it cannot be written, or it has too little space.
        """
        self._folder = Path(directory)
        self._shapes: list[tuple[int, ...]] = []
        self._kept: list[NDArray[np.float32]] = []
        self._file: io.FileIO | None = None
        if needed <= memory:
            return
        try:
            free = shutil.disk_usage(directory).free
            if free < needed:
                raise DataError(
                    f"{Path(directory)}: {needed / 1e9:.1f} GB of scratch space are needed and "
                    f"{free / 1e9:.1f} GB are free; name another folder as scratch_dir"
                )
            self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115
        except OSError as error:
            raise DataError(
                f"{Path(directory)}: no scratch file can be made ({reason(error)}); "
                "name another folder as scratch_dir"
            ) from error

    def __enter__(self) -> Scratch:
        """The file, open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Removes everything."""
        self.close()

    def close(self) -> None:
        """Removes everything, as the end of the block does."""
        self._kept.clear()
        if self._file is not None:
            self._file.close()

    def append(self, array: NDArray[np.float32]) -> None:
        """Writes an array behind the others; `read` comes after all writing.

        Raises:
            DataError: The disk is full, for one.
        """
        if self._file is None:
            self._kept.append(np.array(array, np.float32, order="C"))
            return
        content = np.ascontiguousarray(array, np.float32).data.cast("B")
        self._file.seek(0, os.SEEK_END)
        try:
            while content:  # one call writes 2 GiB at most
                content = content[self._file.write(content) :]
        except OSError as error:
            raise DataError(
                f"{self._folder}: scratch data cannot be written ({error.strerror or error}); "
                "name another folder as scratch_dir"
            ) from error
        self._shapes.append(array.shape)

    def read(self) -> Iterator[NDArray[np.float32]]:
        """All arrays in the order in which they were written; any number of times, also at once."""
        if self._file is None:
            yield from self._kept
            return
        position = 0
        for shape in self._shapes:
            array = self._read_at(self._file, position, shape)
            position += array.nbytes
            yield array

    def get(self, number: int) -> NDArray[np.float32]:
        """One of the arrays.

        Args:
            number: 0 for the first that was written.
        """
        if self._file is None:
            return self._kept[number]
        before = sum(math.prod(shape) for shape in self._shapes[:number])
        return self._read_at(self._file, before * _FLOAT32_BYTES, self._shapes[number])

    def _read_at(
        self, file: io.FileIO, position: int, shape: tuple[int, ...]
    ) -> NDArray[np.float32]:
        array = np.empty(shape, np.float32)
        rest = array.data.cast("B")
        file.seek(position)
        while rest:
            read = file.readinto(rest)
            if not read:
                raise OSError(f"the scratch file ends {len(rest)} bytes too early")
            rest = rest[read:]
        return array
