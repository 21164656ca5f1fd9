"""Where a file's bytes come from: a path, or bytes in memory."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO

from sr_images.formats import format_of

_HEAD = 256


class Source:
    """A picture file that is read.

    Attributes:
        name: What messages call it.
        size: Bytes.
        head: Its first 256 bytes.
        format: By its content; None if it is unknown.
    """

    def __init__(self, source: str | os.PathLike[str] | bytes, name: str | None = None) -> None:
        """Reads the head.

        Raises:
            OSError: The file cannot be read.
        """
        self._content = source if isinstance(source, bytes) else None
        self._path = None if isinstance(source, bytes) else Path(source)
        self.name = name or (str(self._path) if self._path else "the picture")
        with self.open() as file:
            self.head = file.read(_HEAD)
            self.size = file.seek(0, os.SEEK_END)
        self.format = format_of(self.head, self._path.suffix if self._path else "")

    def open(self) -> IO[bytes]:
        """The file from its start; the caller closes it."""
        return io.BytesIO(self._content or b"") if self._path is None else self._path.open("rb")

    def beginning(self, length: int) -> bytes:
        """The first bytes."""
        with self.open() as file:
            return file.read(length)

    def content(self) -> bytes:
        """All bytes."""
        return (self._content or b"") if self._path is None else self._path.read_bytes()
