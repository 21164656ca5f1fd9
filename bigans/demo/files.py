"""Photos in and results out: limits, originals that are reduced first, names, metadata."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bigans.demo.choice import Choice
from bigans.demo.kept_photo import KeptPhoto
from bigans.upscaler.upscaler import Upscaler
from sr_images.bicubic import bicubic_downscale
from sr_images.encoding import Encoding
from sr_images.levels import in_depth
from sr_images.limits import Limits
from sr_images.picture import Picture
from sr_images.pictures_in import open_pictures
from sr_images.pictures_out import write_picture
from sr_program.errors import DataError
from sr_program.files.hashes import file_sha256
from sr_program.version import VERSION

# Formats that a result can be downloaded in; JPEG is the only one that loses.
FORMATS = ("png", "jpg", "webp", "tif")


@dataclasses.dataclass(frozen=True)
class Taken:
    """A photo as it came in.

    Attributes:
        name: Of its file.
        picture: It, or what it was reduced to.
        original: The file's own picture, if it was reduced.
        source: SHA-256 of the file.
        note: What a person should know: that only the first frame was taken.
    """

    name: str
    picture: Picture
    original: Picture | None
    source: str
    note: str = ""


def take(path: Path, max_pixels: int, *, reduce: bool = False) -> Taken:
    """Reads a photo.

    Args:
        path: Its file.
        max_pixels: Of the photo that is enlarged.
        reduce: Whether to reduce it by 4 first: the file's picture is then the original.

    Raises:
        DataError: It cannot be read, or is larger than the page takes.
    """
    most = 16 * max_pixels if reduce else max_pixels
    picture, note = read(path, most)
    original = None
    if reduce:
        original = _cropped(picture, path.name)
        small = bicubic_downscale(in_depth(original.pixels, np.uint8), 4)
        picture = Picture(small, None, original.attributes)
    return Taken(path.name, picture, original, file_sha256(path), note)


def read(path: Path, max_pixels: int) -> tuple[Picture, str]:
    """The first picture of a file, and what there is to say of it.

    Raises:
        DataError: It cannot be read, or has more than `max_pixels`.
    """
    with open_pictures(path, name=path.name, limits=Limits(max_pixels)) as pictures:
        picture = next(iter(pictures))
        count = pictures.count
    note = f"{path.name} has {count} frames or pages; the first is taken" if count > 1 else ""
    return picture, note


def write(
    kept: KeptPhoto, choice: Choice, format_name: str, folder: Path, settings: Mapping[str, str]
) -> Path:
    """Writes a result, with its settings in the metadata as `bigans-upscale` writes them.

    Args:
        kept: The photo.
        choice: How it is merged.
        format_name: One of `FORMATS`.
        folder: Where.
        settings: Of the model, and of the photo's file.

    Returns:
        The file: STEM_x4_xi0.73.png, for one.

    Raises:
        UsageError: The format cannot hold the result.
        OSError: The file cannot be written.
    """
    path = folder / f"{Path(kept.name).stem}_x4_{choice.file_part}.{format_name}"
    told = {"Software": f"bi-gans-st {VERSION}", "scale": "4", **choice.settings(), **settings}
    write_picture(path, kept.result(choice), Encoding(settings=told))
    return path


def kept_of(taken: Taken, upscaler: Upscaler, progress: Callable[[float], None]) -> KeptPhoto:
    """Runs both generators on a photo.

    Raises:
        DataError: As of `KeptPhoto`.
    """
    return KeptPhoto(taken.name, taken.picture, upscaler, progress, original=taken.original)


def _cropped(picture: Picture, name: str) -> Picture:
    """Sides that 4 divides; opaque."""
    height, width = (side - side % 4 for side in picture.size)
    if min(height, width) < 4:
        raise DataError(f"{name}: is too small to be reduced by 4")
    cut: Any = np.ascontiguousarray(picture.pixels[:height, :width])
    return Picture(cut, None, picture.attributes)
