"""Writes pictures into files of any format, each whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from sr_images import icc as profiles
from sr_images.attributes.on_writing import in_srgb, keeps_colours, of_written_picture
from sr_images.attributes.png_chunks import chunks_of
from sr_images.depth import in_depth
from sr_images.encoders import with_pillow
from sr_images.encoders.arrays import joined
from sr_images.encoders.plain_file import plain_file
from sr_images.encoding import (
    Encoding,
    check_encoding,
    dtype_written,
    format_to_write,
)
from sr_images.picture import Picture
from sr_images.png_stream import write_png
from sr_program.files.atomic_write import atomic_file

__all__ = ["Encoding", "check_encoding", "write_picture"]

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
    encoding = encoding or Encoding()
    path = _path(target)
    check_encoding(path, *picture.size, picture, encoding)
    name = format_to_write(path, encoding)
    ready = _ready(picture, name, encoding, _told(path))
    _write(target, lambda file: _encode(file, ready, name, encoding, _told(path)))


def _encode(file: IO[bytes], picture: Picture, name: str, encoding: Encoding, told: str) -> None:
    if name == "PNG" and picture.pixels.dtype == np.uint16:
        samples = joined(picture)
        chunks = chunks_of(picture.attributes)
        write_png(file, [samples], *picture.size, channels=samples.shape[2], bits=16, chunks=chunks)
    else:
        with_pillow.encode(file, picture, name, encoding, told)


def _ready(picture: Picture, name: str, encoding: Encoding, told: str) -> Picture:
    """The picture in the colours and depth that are written, with what the file will say."""
    pixels, attributes = picture.pixels, picture.attributes
    if not keeps_colours(name, encoding):
        pixels, attributes = in_srgb(pixels, attributes, told)
    if name == "PNG" and pixels.shape[2] == 1 and profiles.is_for_rgb(attributes.icc):
        # the standard: such a profile is not allowed on gray
        pixels = np.repeat(pixels, 3, axis=2)
    dtype = dtype_written(name, pixels.dtype)
    alpha = None if picture.alpha is None else in_depth(picture.alpha, dtype)
    attributes = of_written_picture(attributes, *picture.size, name, encoding)
    return Picture(in_depth(pixels, dtype), alpha, attributes)


def _write(target: Target, encode: Callable[[IO[bytes]], None]) -> None:
    """Calls an encoder with a file that becomes the target when it is whole."""
    path = _path(target)
    if path is not None:
        with atomic_file(path, locked=True) as temporary, plain_file(temporary) as file:
            encode(file)
        return
    with tempfile.TemporaryFile() as file:
        encode(file)
        file.seek(0)
        shutil.copyfileobj(file, target)  # type: ignore[arg-type]


def _path(target: Target) -> Path | None:
    return Path(target) if isinstance(target, str | os.PathLike) else None


def _told(path: Path | None) -> str:
    return "the result" if path is None else str(path)
