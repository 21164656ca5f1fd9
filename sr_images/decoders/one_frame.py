"""Formats that are read as one picture."""

from __future__ import annotations

import abc
from collections.abc import Iterator

from sr_images.decoders.samples import Decoded
from sr_images.decoders.source import Source
from sr_images.limits import Limits


class OneFrame(abc.ABC):
    """A file with one picture; attributes as of `samples.Frames`."""

    count = 1
    is_animation = False
    loop = None

    def __init__(self, source: Source, limits: Limits) -> None:
        """Checks the size that the file claims.

        Raises:
            DataError: A limit is passed.
            Exception: Decoders raise nearly anything on damaged files.
        """
        self._source = source
        height, width, bits = self._size()
        limits.check(source.name, height, width, bits, source.size)

    def __iter__(self) -> Iterator[Decoded]:
        """The picture."""
        yield self._decode()

    def close(self) -> None:  # noqa: B027
        """Does nothing: the file is open only while it is read."""

    @abc.abstractmethod
    def _size(self) -> tuple[int, int, int]:
        """Height, width, and the bits of a pixel."""

    @abc.abstractmethod
    def _decode(self) -> Decoded:
        """The picture."""
