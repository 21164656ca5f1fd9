"""Writes a picture that comes in strips, in the format that the file's name asks for."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_images.image_io import check_format, write_rgb
from sr_images.png_stream import write_png
from sr_program.files.atomic_write import atomic_file, check_writable

Strips = Iterable[NDArray[np.uint8]]

_TIFF_TILE = 256  # pixels; a multiple of 16, as the standard asks


def write_strips(path: str | os.PathLike[str], strips: Strips, height: int, width: int) -> None:
    """Writes a picture, whole or not at all.

    PNG and, where the package `tifffile` is installed, TIFF (tiles of 256x256, deflate, BigTIFF)
    are written as the strips come. Other formats need the whole picture in memory.

    Args:
        path: As for `sr_images.image_io.write_rgb`.
        strips: uint8 [h, width, 3] each, from the top to the bottom.
        height: Rows of all strips together.
        width: Of the picture, pixels.

    Raises:
        UsageError: As for `check_strips`, before any strip is asked for.
        OSError: The file cannot be written; if that can be known, before any strip is asked for.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    check_strips(path, height, width)
    if suffix == ".png":
        with atomic_file(path, locked=True) as temporary:
            write_png(temporary, strips, height, width)
    elif _is_big_tiff(suffix):
        with atomic_file(path, locked=True) as temporary:
            _write_tiff(temporary, strips, height, width)
    else:
        write_rgb(path, assemble(strips, height, width))


def check_strips(path: str | os.PathLike[str], height: int, width: int) -> None:
    """Whether `write_strips` could write a picture, told before there is one.

    Args:
        path: The file.
        height: Pixels.
        width: Pixels.

    Raises:
        UsageError: Another suffix, or a format that cannot hold a picture of this size.
        OSError: No file can be made there.
    """
    if not _is_big_tiff(Path(path).suffix.lower()):
        check_format(path, height, width)
    check_writable(path)


def _is_big_tiff(suffix: str) -> bool:
    return suffix in (".tif", ".tiff") and bool(importlib.util.find_spec("tifffile"))


def assemble(strips: Strips, height: int, width: int) -> NDArray[np.uint8]:
    """Puts strips together.

    Args:
        strips: uint8 [h, width, 3] each, from the top to the bottom.
        height: Rows of all strips together.
        width: Of the picture, pixels.

    Returns:
        uint8 [height, width, 3].
    """
    image = np.empty((height, width, 3), np.uint8)
    top = 0
    for strip in strips:
        image[top : top + len(strip)] = strip
        top += len(strip)
    return image


def _write_tiff(path: Path, strips: Strips, height: int, width: int) -> None:
    import tifffile

    tiles = (
        band[:, left : left + _TIFF_TILE]
        for band in bands(strips, _TIFF_TILE)
        for left in range(0, width, _TIFF_TILE)
    )
    tifffile.imwrite(
        path,
        tiles,
        shape=(height, width, 3),
        dtype=np.uint8,
        tile=(_TIFF_TILE, _TIFF_TILE),
        photometric="rgb",
        compression="zlib",
        predictor=True,
        bigtiff=True,
        metadata=None,
    )


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
