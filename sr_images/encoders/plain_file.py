"""A file whose descriptor codecs do not see."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO


class _FileWithoutNumber(io.FileIO):
    """Hides its descriptor: with it, Pillow's codecs write by themselves.

    They take a write that is cut short for a whole one, and libtiff writes its complaints to
    stderr. Without it they give their bytes to `write`.
    """

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def plain_file(path: Path) -> IO[bytes]:
    """Opens a file for writing and reading; it is emptied."""
    return io.BufferedRandom(_FileWithoutNumber(path, "w+"))  # pyright: ignore[reportReturnType]
