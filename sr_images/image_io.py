"""Reads and writes 8-bit RGB images, for training and scores: what is no such image is refused.

Gray, palette and 1-bit files are converted to RGB, and the EXIF orientation is applied. Files with
transparency (an alpha channel that is opaque everywhere is none), 16 bits a channel, several frames
or other colour models are refused with a message that says what to do. `sr_images.pictures_in`
reads them all.
"""

import io
import os
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    TILEBYTECOUNTS,
    TILEOFFSETS,
    TiffImageFile,
)

from sr_images.encoding import Encoding, check_shape
from sr_images.picture import Picture
from sr_images.pictures_in import open_pictures
from sr_images.pictures_out import write_picture
from sr_images.rounding import grey_levels
from sr_program.errors import DataError, UsageError, reason

# files with these suffixes (lower case) are images
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

# Pillow warns of large photos, which are fine up to its hard limit, and of damage that becomes a
# DataError anyway. (`catch_warnings` around the calls would not be safe in threads.)
warnings.filterwarnings("ignore", module=r"PIL\.")


def read_rgb(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Decodes an image file, upright.

    Returns:
        uint8 [H, W, 3], RGB, 0..255.

    Raises:
        DataError: the file is missing, damaged, no image, or of a kind that is not supported.
    """
    path = Path(path)
    return _decode(path, path)


def decode_rgb(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decodes the content of an image file, upright.

    Args:
        content: what the file holds, in any format that `read_rgb` reads.
        name: what error messages call the image.

    Returns:
        uint8 [H, W, 3], RGB, 0..255.

    Raises:
        DataError: the content is damaged, no image, or of a kind that is not supported.
    """
    return _decode(io.BytesIO(content), name)


def _decode(file: Path | IO[bytes], name: str | Path) -> NDArray[np.uint8]:
    try:
        with Image.open(file) as image:
            _refuse_unsupported(image, name)
            image.load()
            # no copies that are not needed: a photo of 24 MP takes 72 MB
            ImageOps.exif_transpose(image, in_place=True)
            return np.array(image if image.mode == "RGB" else image.convert("RGB"))
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise DataError(f"{name}: {_problem(error, file)}") from error


def is_gray(path: str | os.PathLike[str]) -> bool:
    """Whether the file holds a single gray channel, from its header alone.

    Raises:
        DataError: the file is missing or no image.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            return image.mode in ("1", "L", "LA")
    except Exception as error:
        raise DataError(f"{path}: {_problem(error, path)}") from error


def check_format(path: str | os.PathLike[str], height: int, width: int) -> None:
    """Whether `write_rgb` could write a picture, told before there is one.

    Args:
        path: the file.
        height: pixels.
        width: pixels.

    Raises:
        UsageError: another suffix, or a format that cannot hold a picture of this size.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise UsageError(
            f"{path}: cannot write this format, use one of {', '.join(IMAGE_SUFFIXES)}"
        )
    check_shape(path, height, width, 3, Encoding())


def write_rgb(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes an image in the format that the suffix names, whole or not at all.

    PNG, BMP, TIFF (deflate) and WebP are written losslessly, JPEG with quality 95 and full colour
    resolution.

    Args:
        path: ends in .png, .jpg, .jpeg, .webp, .bmp, .tif or .tiff, in any case.
        image: uint8 [H, W, 3], RGB, 0..255.

    Raises:
        UsageError: another suffix, or a format that cannot hold a picture of this size.
        ValueError: another dtype or shape.
        OSError: the file cannot be written.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"expected uint8 [H, W, 3], got {image.dtype} {list(image.shape)}")
    check_format(path, *image.shape[:2])
    write_picture(path, Picture(image))


def to_signed(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey levels 0..255 (uint8) to the networks' range [-1, 1] (float32), same shape."""
    return image.astype(np.float32) / np.float32(127.5) - np.float32(1)


def from_signed(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The networks' range [-1, 1] to grey levels: clipped, halves up, uint8, same shape."""
    return grey_levels((values + 1) * 127.5, np).astype(np.uint8)


def _refuse_unsupported(image: Image.Image, path: Path | str) -> None:
    if getattr(image, "is_animated", False) and image.format != "MPO":
        # MPO is how many cameras store a JPEG with a preview; its first frame is the photo
        raise DataError(f"{path}: has several frames; save one of them as its own file")
    if _has_16_bits(image):
        raise DataError(f"{path}: has 16 or more bits a channel; convert it to 8-bit RGB")
    if _is_cut_off(image):
        # libtiff would write to stderr
        raise DataError(f"{path}: is damaged (the file is truncated); replace the file")
    if image.has_transparency_data:
        if image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
            raise DataError(f"{path}: has transparency; flatten it to RGB without an alpha channel")
    elif image.mode not in ("RGB", "L", "P", "1"):
        raise DataError(f"{path}: has the colour model {image.mode}; convert it to 8-bit RGB")


def _is_cut_off(image: Image.Image) -> bool:
    """Whether pixels of a TIFF would lie behind the file's end."""
    if not isinstance(image, TiffImageFile) or image.fp is None:
        return False
    place = image.fp.tell()
    size = image.fp.seek(0, os.SEEK_END)
    image.fp.seek(place)
    for offsets, counts in ((STRIPOFFSETS, STRIPBYTECOUNTS), (TILEOFFSETS, TILEBYTECOUNTS)):
        ends = zip(image.tag_v2.get(offsets, ()), image.tag_v2.get(counts, ()), strict=False)
        if any(offset + count > size for offset, count in ends):
            return True
    return False


def _has_16_bits(image: Image.Image) -> bool:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return True
    if isinstance(image, TiffImageFile):
        return max(image.tag_v2.get(BITSPERSAMPLE, (1,))) > 8
    # Pillow silently drops the low byte of 16-bit colour; only the decoder's raw mode tells
    for tile in getattr(image, "tile", ()):
        raw_mode = tile[3][0] if isinstance(tile[3], tuple) and tile[3] else tile[3]
        if isinstance(raw_mode, str) and ";16" in raw_mode:
            return True
    return False


def _problem(error: Exception, file: Path | IO[bytes]) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels; crop or shrink it"
    if isinstance(error, Image.UnidentifiedImageError):
        if kind := _known_kind(file):
            return f"is {kind}, which cannot be read here; convert it to 8-bit RGB"
        return "is not an image, or of an unknown format; use PNG, JPEG, WebP, BMP or TIFF"
    if isinstance(error, OSError) and error.strerror and error.errno:
        return reason(error)
    return f"is damaged ({reason(error)}); replace the file"


def _known_kind(file: Path | IO[bytes]) -> str | None:
    """What a file is that Pillow does not know; None if nobody knows it."""
    try:
        content = file.read_bytes() if isinstance(file, Path) else _content(file)
        with open_pictures(content) as pictures:
            levels = next(iter(pictures)).pixels.dtype.name
        return f"a {pictures.format} file ({_LEVELS[levels]})"
    except DataError:
        return None


_LEVELS = {"uint8": "8 bits", "uint16": "16 bits", "float32": "floats"}


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
