"""TIFF files, page by page, in every depth: by tifffile and imagecodecs."""

from __future__ import annotations

import dataclasses
import logging
import math
import mmap
from collections.abc import Iterator
from typing import IO, Any

import tifffile

from sr_images.attributes import from_tiff
from sr_images.decoders.samples import Decoded
from sr_images.decoders.source import Source
from sr_images.decoders.tiff_by_libtiff import OLD_JPEG, decoded_by_libtiff, is_for_libtiff
from sr_images.decoders.tiff_colours import decoded_page
from sr_images.decoders.tiff_pages import pages_of
from sr_images.limits import Limits
from sr_program.errors import DataError

# It tells of damage, which becomes a DataError anyway: a person is told once.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


class TiffPages:
    """The pages of a TIFF file, without previews; attributes as of `samples.Frames`."""

    is_animation = False
    loop = None

    def __init__(self, source: Source, limits: Limits) -> None:
        """Reads the directories.

        Raises:
            DataError: A limit is passed, or there is no page.
            Exception: The decoder raises nearly anything on damaged files.
        """
        self._source, self._limits = source, limits
        self._file = source.open()
        try:
            self._buffer = _buffer(self._file, source)
            self._tiff = tifffile.TiffFile(self._file)
            self._pages = pages_of(self._tiff, source.name, limits)
            self.count = len(self._pages)
            self._check(self._pages[0])
        except BaseException:
            self._file.close()
            raise

    def __iter__(self) -> Iterator[Decoded]:
        """The pages in turn."""
        for page in self._pages:
            self._check(page)
            attributes, orientation = from_tiff.attributes_of(page, self._buffer)
            decoded, icc = self._decoded(page, attributes.icc, orientation)
            yield dataclasses.replace(decoded, attributes=dataclasses.replace(attributes, icc=icc))

    def close(self) -> None:
        """Closes the file."""
        if isinstance(self._buffer, mmap.mmap):
            self._buffer.close()
        self._tiff.close()
        self._file.close()

    def _decoded(
        self, page: tifffile.TiffPage, icc: bytes | None, orientation: int
    ) -> tuple[Decoded, bytes | None]:
        if is_for_libtiff(page):
            return decoded_by_libtiff(page, self._source, icc)
        try:
            decoded, left = decoded_page(page, icc, self._source.name)
            return dataclasses.replace(decoded, orientation=orientation), left
        except Exception as error:
            if isinstance(error, DataError) or page.compression != OLD_JPEG:
                raise
        return decoded_by_libtiff(page, self._source, icc)

    def _check(self, page: tifffile.TiffPage) -> None:
        height, width, bits = page.imagelength, page.imagewidth, page.bitspersample
        channels = max(1, page.samplesperpixel)
        depth = bits * channels if isinstance(bits, int) else sum(bits)
        self._limits.check(self._source.name, height, width, depth, self._source.size)
        if page.imagedepth != 1:
            raise DataError(f"{self._source.name}: holds a volume, not a picture")
        ends = (a + b for a, b in zip(page.dataoffsets, page.databytecounts, strict=False))
        if max(ends, default=math.inf) > self._source.size:
            raise DataError(
                f"{self._source.name}: is damaged (the file is truncated); replace the file"
            )


def _buffer(file: IO[bytes], source: Source) -> Any:
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return source.content()
