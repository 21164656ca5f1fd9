"""Opens picture files of any format: one frame at a time, upright, in their own depth.

    with open_pictures("photo.jpg") as pictures:
        for picture in pictures:
            ...

The format is told by the content, not by the name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from PIL import Image

from sr_images.decoders.samples import Frames, picture_of
from sr_images.decoders.source import Source
from sr_images.decoders.with_pillow import PillowFrames
from sr_images.limits import Limits
from sr_images.picture import Picture
from sr_program.errors import DataError, UsageError, reason
from sr_program.machine.optional_packages import require_extra

__all__ = ["Limits", "OpenedPictures", "open_pictures", "read_picture"]

_KNOWN = "PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, JPEG XL, JPEG 2000, TGA or NPY"


class OpenedPictures:
    """The frames or pages of an opened file; iterate once, one at a time is in memory.

    Attributes:
        name: What messages call the file.
        format: "PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIC", "JXL", "JP2", "TGA",
            "NPY", "PPM", "PCX", "SGI" or "QOI".
        count: Frames of an animation, or pages; 1 of a still picture.
        is_animation: Whether they are shown one after the other: `attributes.duration_ms` of each
            tells how long.
        loop: How often an animation is shown, 0 for ever; None if the file does not say.
    """

    def __init__(self, frames: Frames, name: str, format_name: str) -> None:
        self.name = name
        self.format = format_name
        self.count = frames.count
        self.is_animation = frames.is_animation
        self.loop = frames.loop
        self._frames = frames

    def __iter__(self) -> Iterator[Picture]:
        """The pictures in turn, frames as they are shown: composited.

        Raises:
            DataError: The file is damaged.
        """
        frames = iter(self._frames)
        while True:
            try:
                decoded = next(frames, None)
                picture = None if decoded is None else picture_of(decoded)
            except Exception as error:
                raise data_error(error, self.name) from error
            if picture is None:
                return
            del decoded
            yield picture

    def close(self) -> None:
        """Closes the file; the end of a `with` block does."""
        self._frames.close()

    def __enter__(self) -> OpenedPictures:
        """The same object."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self.close()


def open_pictures(
    source: str | os.PathLike[str] | bytes, *, name: str | None = None, limits: Limits | None = None
) -> OpenedPictures:
    """Opens a picture file; the pixels are not decoded yet.

    Args:
        source: A file, or the content of one.
        name: What messages call it; the path by default.
        limits: The largest pictures that are decoded.

    Raises:
        DataError: The file is missing, damaged, no picture, larger than the limits, or needs a
            package that is missing.
    """
    limits = limits or Limits()
    told = name or ("the picture" if isinstance(source, bytes) else str(source))
    try:
        opened = Source(source, told)
        if opened.format is None:
            raise DataError(f"{told}: is not an image, or of an unknown format; use {_KNOWN}")
        return OpenedPictures(_frames(opened, limits), told, opened.format)
    except Exception as error:
        raise data_error(error, told) from error


def read_picture(
    source: str | os.PathLike[str] | bytes, *, name: str | None = None, limits: Limits | None = None
) -> Picture:
    """The only picture of a file, or the first frame or page; arguments as of `open_pictures`."""
    with open_pictures(source, name=name, limits=limits) as pictures:
        return next(iter(pictures))


def data_error(error: Exception, name: str) -> Exception:
    """What a person is told of an error while a file is read.

    Args:
        error: A library's decoders raise nearly anything on damaged files.
        name: What the message calls the file.
    """
    if isinstance(error, DataError):
        return error
    if isinstance(error, Image.DecompressionBombError):
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        return DataError(f"{name}: has more than the {most:,} pixels of this format; shrink it")
    if isinstance(error, OSError) and error.strerror and error.errno:
        return DataError(f"{name}: {reason(error)}")
    return DataError(f"{name}: is damaged ({reason(error, most=200)}); replace the file")


def _frames(source: Source, limits: Limits) -> Frames:
    # Modules that take time to import, and that few files need.
    if source.format == "TIFF":
        from sr_images.decoders.with_tifffile import TiffPages

        return TiffPages(source, limits)
    if source.format == "NPY":
        from sr_images.decoders.with_numpy import NumpyFrames

        return NumpyFrames(source, limits)
    if source.format == "HEIC":
        _require("heic", source.name)
        from sr_images.decoders.with_heif import HeifFrames

        return HeifFrames(source, limits)
    if source.format == "JXL":
        _require("jxl", source.name)
        from sr_images.decoders.with_jxl import JxlFrames

        return JxlFrames(source, limits)
    return PillowFrames(source, limits)


def _require(extra: str, name: str) -> None:
    try:
        require_extra(extra)
    except UsageError as error:
        raise DataError(f"{name}: {error}") from None
