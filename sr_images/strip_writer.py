"""Writes a picture that comes in strips, in the format that the file's name asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sr_images import icc as profiles
from sr_images.attributes.on_writing import in_srgb, keeps_colours, of_written_picture
from sr_images.attributes.png_chunks import chunks_of
from sr_images.encoding import Encoding, check_shape, dtype_written, format_to_write
from sr_images.levels import in_depth
from sr_images.picture import Attributes, Picture
from sr_images.pictures_out import Target, write_picture, write_whole
from sr_images.png_stream import write_png
from sr_program.files.atomic_write import check_writable

Strips = Iterable[NDArray[Any]]

_TIFF_TILE = 256  # pixels; a multiple of 16, as the standard asks


def write_strips(
    target: Target,
    strips: Strips,
    height: int,
    width: int,
    *,
    channels: int = 3,
    dtype: DTypeLike = np.uint8,
    attributes: Attributes | None = None,
    encoding: Encoding | None = None,
) -> None:
    """Writes a picture, whole or not at all.

    PNG and TIFF (tiles of 256x256, deflate, BigTIFF) are written as the strips come. Other formats
    need the whole picture in memory.

    Args:
        target: As for `sr_images.pictures_out.write_picture`.
        strips: [h, width, channels] each, from the top to the bottom, in the range of a `Picture`.
        height: Rows of all strips together.
        width: Of the picture, pixels.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        dtype: Of the strips: uint8, uint16 or float32.
        attributes: Of the picture.
        encoding: How it is written; by default in the format that the suffix names.

    Raises:
        UsageError: As for `check_strips`, before any strip is asked for.
        OSError: The file cannot be written; if that can be known, before any strip is asked for.
    """
    encoding, attributes = encoding or Encoding(), attributes or Attributes()
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    check_strips(path, height, width, channels=channels, encoding=encoding)
    name = format_to_write(path, encoding)
    if name not in ("PNG", "TIFF"):
        whole = assemble(strips, height, width, channels, dtype)
        write_picture(target, _picture(whole, attributes), encoding)
        return
    told = "the result" if path is None else str(path)
    ready = _Ready(name, encoding, attributes, channels, told)
    said = of_written_picture(ready.attributes, height, width, name, encoding, told)
    levels = dtype_written(name, np.dtype(dtype))

    def encode(file: IO[bytes]) -> None:
        converted = (ready.strip(strip, levels) for strip in strips)
        if name == "PNG":
            bits, chunks = 8 * levels.itemsize, chunks_of(said)
            sizes = {"channels": ready.channels, "bits": bits}
            write_png(file, converted, height, width, **sizes, chunks=chunks)
        else:
            _write_tiff(file, converted, (height, width, ready.channels), levels, said)

    write_whole(target, encode)


def check_strips(
    path: str | os.PathLike[str] | None,
    height: int,
    width: int,
    *,
    channels: int = 3,
    encoding: Encoding | None = None,
) -> None:
    """Whether `write_strips` could write a picture, told before there is one.

    Args:
        path: The file; None for a stream.
        height: Pixels.
        width: Pixels.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        encoding: How it is written.

    Raises:
        UsageError: Another suffix, or a format that cannot hold such a picture.
        OSError: No file can be made there.
    """
    check_shape(path, height, width, channels, encoding or Encoding())
    if path is not None:
        check_writable(path)


def assemble(
    strips: Strips, height: int, width: int, channels: int = 3, dtype: DTypeLike = np.uint8
) -> NDArray[Any]:
    """Puts strips together.

    Args:
        strips: [h, width, channels] each, from the top to the bottom.
        height: Rows of all strips together.
        width: Of the picture, pixels.
        channels: Of a pixel.
        dtype: Of the strips.

    Returns:
        [height, width, channels].
    """
    image = np.empty((height, width, channels), dtype)
    top = 0
    for strip in strips:
        image[top : top + len(strip)] = strip
        top += len(strip)
    return image


class _Ready:
    """Makes strips ready for a format: its colours and its depth."""

    def __init__(
        self, name: str, encoding: Encoding, attributes: Attributes, channels: int, told: str
    ) -> None:
        self._told = told
        self._source = attributes
        self.attributes = attributes
        self.converts = not keeps_colours(name, encoding) and bool(attributes.icc)
        if self.converts:  # a pixel tells whether the profile can be used
            colours = 3 if channels >= 3 else 1
            pixel = np.zeros([1, 1, colours], np.uint8)
            _, self.attributes = in_srgb(pixel, attributes, told)
            self.converts = self.attributes.icc is None
        # the standard of PNG: such a profile is not allowed on gray
        needs_colours = name == "PNG" and profiles.is_for_rgb(self.attributes.icc)
        self._widens = needs_colours and channels < 3
        self.channels = channels + 2 if self._widens else channels

    def strip(self, strip: NDArray[Any], levels: np.dtype) -> NDArray[Any]:
        """[h, W, channels] in other colours and depth."""
        colours = 3 if strip.shape[2] >= 3 else 1
        pixels, alpha = strip[:, :, :colours], strip[:, :, colours:]
        if self.converts:
            pixels, _ = in_srgb(pixels, self._source, self._told)
        if self._widens:
            pixels = np.repeat(pixels, 3, axis=2)
        joined = pixels if not alpha.shape[2] else np.concatenate([pixels, alpha], axis=2)
        return in_depth(joined, levels)


def _picture(whole: NDArray[Any], attributes: Attributes) -> Picture:
    colours = 3 if whole.shape[2] >= 3 else 1
    alpha = whole[:, :, colours] if whole.shape[2] > colours else None
    return Picture(whole[:, :, :colours], alpha, attributes)


def _write_tiff(
    file: IO[bytes],
    strips: Strips,
    shape: tuple[int, int, int],
    dtype: np.dtype,
    attributes: Attributes,
) -> None:
    from sr_images.encoders import with_tifffile

    tiles = (
        band[:, left : left + _TIFF_TILE]
        for band in bands(strips, _TIFF_TILE)
        for left in range(0, shape[1], _TIFF_TILE)
    )
    with_tifffile.encode_tiles(file, tiles, shape, dtype, _TIFF_TILE, attributes)


def bands(strips: Strips, rows: int) -> Iterator[NDArray[np.uint8]]:
    """Cuts strips of any heights into strips of one height; the last may be lower.

    Args:
        strips: [h, W, 3] each.
        rows: The height.

    Yields:
        [rows, W, 3].
    """
    waiting: list[NDArray[np.uint8]] = []
    held = 0
    for strip in strips:
        waiting.append(strip)
        held += len(strip)
        if held < rows:
            continue
        joined = np.concatenate(waiting)
        whole = held - held % rows
        for top in range(0, whole, rows):
            yield joined[top : top + rows]
        waiting, held = [joined[whole:]], held - whole
    if held:
        yield np.concatenate(waiting)
