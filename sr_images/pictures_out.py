"""Writes pictures into files of any format, each whole or not at all."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from sr_images import icc as profiles
from sr_images.attributes.on_writing import in_srgb, keeps_colours, of_written_picture
from sr_images.attributes.png_chunks import chunks_of
from sr_images.encoders import apng, gif, with_numpy, with_pillow
from sr_images.encoders.plain_file import plain_file
from sr_images.encoding import Encoding, check_encoding, dtype_written, format_to_write
from sr_images.levels import in_depth
from sr_images.picture import Picture
from sr_images.png_stream import write_png
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_file

__all__ = ["Encoding", "check_encoding", "write_picture", "write_pictures"]

# Formats in which gray becomes RGB, which a profile for gray does not fit.
_WITHOUT_GRAY = ("WEBP", "AVIF")

Target = str | os.PathLike[str] | IO[bytes]


def write_picture(target: Target, picture: Picture, encoding: Encoding | None = None) -> None:
    """Writes a picture, with its attributes, whole or not at all.

    Levels that are deeper than the format are rounded, halves up. A gray picture stays gray.

    Args:
        target: The file; or a binary stream, which needs `encoding.format`.
        picture: Of any depth.
        encoding: How it is written; by default in the format that the suffix names.

    Raises:
        UsageError: As of `check_encoding`.
        OSError: The file cannot be written.
    """
    write_pictures(target, [picture], encoding)


def write_pictures(
    target: Target,
    frames: Iterable[Picture],
    encoding: Encoding | None = None,
    *,
    count: int = 1,
    loop: int | None = None,
) -> None:
    """Writes an animation (PNG, WebP, GIF, AVIF) or pages (TIFF), whole or not at all.

    Frames are taken one after the other, and no two are in memory. Pages may be of any sizes and
    depths. The frames of an animation have one size, and get the depth of the first; how long each
    is shown is `attributes.duration_ms`, 100 ms by default.

    Args:
        target: The file; or a binary stream, which needs `encoding.format`.
        frames: The first one's other attributes are those of an animation.
        encoding: How they are written; by default in the format that the suffix names.
        count: Of the frames.
        loop: How often an animation is shown, 0 for ever; None is once.

    Raises:
        UsageError: As of `check_encoding`.
        ValueError: There are more or fewer frames.
        DataError: Their sizes differ, and they are no pages of a TIFF.
        OSError: The file cannot be written.
    """
    encoding = encoding or Encoding()
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    told = "the result" if path is None else str(path)
    waiting = _counted(frames, count)
    first = next(waiting)
    check_encoding(path, *first.size, first, encoding, frames=count)
    name = format_to_write(path, encoding)

    def ready() -> Iterator[Picture]:
        yield _ready(first, name, encoding, told)
        for frame in waiting:
            frame = frame if name == "TIFF" else _like(first, frame, name)
            yield _ready(frame, name, encoding, told)

    def encode(file: IO[bytes]) -> None:
        if count > 1 or name in ("TIFF", "GIF"):
            _encode_several(file, ready(), name, encoding, count, loop, told)
        else:
            _encode_one(file, next(ready()), name, encoding, told)
            next(waiting, None)

    write_whole(target, encode)


def _counted(frames: Iterable[Picture], count: int) -> Iterator[Picture]:
    number = 0
    for frame in frames:
        number += 1
        if number > count:
            break
        yield frame
    if number != count:
        raise ValueError(f"there are {number} frames or more, not {count}")


def _like(first: Picture, frame: Picture, name: str) -> Picture:
    """A frame in the depth of the first: an animation has one size, one depth, and its colours."""
    if frame.size != first.size:
        (height, width), (other_height, other_width) = first.size, frame.size
        raise DataError(
            f"its pages differ in size ({width}x{height} and {other_width}x{other_height} pixels), "
            f"which {name} cannot hold; use .tif"
        )
    dtype = first.pixels.dtype
    alpha = None if frame.alpha is None else in_depth(frame.alpha, dtype)
    attributes = dataclasses.replace(frame.attributes, colour_chunks={})
    return Picture(in_depth(frame.pixels, dtype), alpha, attributes)


def _encode_one(
    file: IO[bytes], picture: Picture, name: str, encoding: Encoding, told: str
) -> None:
    if name == "NPY":
        with_numpy.encode(file, picture)
    elif name == "PNG" and picture.pixels.dtype == np.uint16:
        samples = picture.samples
        chunks = chunks_of(picture.attributes)
        write_png(file, [samples], *picture.size, channels=samples.shape[2], bits=16, chunks=chunks)
    else:
        with_pillow.encode(file, picture, name, encoding, told)


def _encode_several(
    file: IO[bytes],
    frames: Iterator[Picture],
    name: str,
    encoding: Encoding,
    count: int,
    loop: int | None,
    told: str,
) -> None:
    if name == "TIFF":
        from sr_images.encoders import with_tifffile

        with_tifffile.encode_pages(file, frames, count)
    elif name == "GIF":
        gif.encode(file, frames, count, loop)
    elif name == "PNG":
        apng.encode(file, frames, count, loop)
    else:
        with_pillow.encode_animation(
            file, frames, name, encoding, count=count, loop=loop, told=told
        )


def _ready(picture: Picture, name: str, encoding: Encoding, told: str) -> Picture:
    """The picture in the colours and depth that are written, with what the file will say."""
    pixels, attributes = picture.pixels, picture.attributes
    is_gray = pixels.shape[2] == 1
    made_rgb = name in _WITHOUT_GRAY and is_gray and not profiles.is_for_rgb(attributes.icc)
    if made_rgb or not keeps_colours(name, encoding):
        pixels, attributes = in_srgb(pixels, attributes, told)
    if name == "PNG" and is_gray and profiles.is_for_rgb(attributes.icc):
        # the standard: such a profile is not allowed on gray
        pixels = np.repeat(pixels, 3, axis=2)
    dtype = dtype_written(name, pixels.dtype)
    alpha = None if picture.alpha is None else in_depth(picture.alpha, dtype)
    attributes = of_written_picture(attributes, *picture.size, name, encoding, told)
    return Picture(in_depth(pixels, dtype), alpha, attributes)


def write_whole(target: Target, encode: Callable[[IO[bytes]], None]) -> None:
    """Calls an encoder with a file that becomes the target when it is whole.

    Args:
        target: A path, or a binary stream, which gets everything at the end.
        encode: Takes a file that is open for writing and reading.

    Raises:
        OSError: The file cannot be written.
    """
    if isinstance(target, str | os.PathLike):
        with atomic_file(target, locked=True) as temporary, plain_file(Path(temporary)) as file:
            encode(file)
        return
    with tempfile.TemporaryDirectory() as folder, plain_file(Path(folder) / "whole") as file:
        encode(file)
        file.seek(0)
        shutil.copyfileobj(file, target)
