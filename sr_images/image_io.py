"""Reads and writes 8-bit RGB images; the one place where pixels become uint8.

Gray, palette and 1-bit files are converted to RGB, and the EXIF orientation is applied. Files with
transparency, 16 bits a channel, several frames or other colour models are refused with a message
that says what to do.
"""

import io
import math
import os
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from sr_images.rounding import grey_levels
from sr_program.errors import DataError, UsageError, reason
from sr_program.files.atomic_write import atomic_file

# files with these suffixes (lower case) are images
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

_Writer = tuple[str, dict[str, object]]
_JPEG: _Writer = ("JPEG", {"quality": 95, "subsampling": "4:4:4"})
_TIFF: _Writer = ("TIFF", {"compression": "tiff_deflate"})
_WRITERS: dict[str, _Writer] = {
    ".png": ("PNG", {}),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": ("WEBP", {"lossless": True}),
    ".bmp": ("BMP", {}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
}

# The longest side, pixels, and the most bytes of pixels that a format holds as it is written here.
# (libjpeg stops before the 65535 of the standard. The headers of BMP and TIFF count bytes in 32
# bits; what TIFF's compression saves is not known beforehand.)
_32_BITS = 2**32 - 2**20
_LIMITS: dict[str, tuple[float, float]] = {
    "PNG": (2**31 - 1, math.inf),
    "JPEG": (65_500, math.inf),
    "WEBP": (16_383, math.inf),
    "BMP": (2**31 - 1, _32_BITS),
    "TIFF": (2**32 - 1, _32_BITS),
}

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
        raise DataError(f"{name}: {_problem(error)}") from error


def is_gray(path: str | os.PathLike[str]) -> bool:
    """Whether the file holds a single gray channel, from its header alone.

    Raises:
        DataError: the file is missing or no image.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            return image.mode in ("1", "L")
    except Exception as error:
        raise DataError(f"{path}: {_problem(error)}") from error


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
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise UsageError(f"{path}: cannot write this format, use one of {', '.join(_WRITERS)}")
    longest, most_bytes = _LIMITS[_WRITERS[suffix][0]]
    row_bytes = -(-3 * width // 4) * 4  # as BMP stores a row
    if max(height, width) > longest or height * row_bytes > most_bytes:
        others = " or ".join(other for other in (".png", ".tif") if other[:4] != suffix[:4])
        raise UsageError(f"{path}: {suffix} cannot hold {width}x{height} pixels; use {others}")


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
    path = Path(path)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"expected uint8 [H, W, 3], got {image.dtype} {list(image.shape)}")
    check_format(path, *image.shape[:2])
    image_format, options = _WRITERS[path.suffix.lower()]
    picture = Image.fromarray(np.ascontiguousarray(image))
    with atomic_file(path, locked=True) as temporary, _plain_file(temporary) as file:
        picture.save(file, image_format, **options)


class _FileWithoutNumber(io.FileIO):
    """Hides its descriptor: with it, Pillow's codecs write by themselves.

    They take a write that is cut short for a whole one, and libtiff writes its complaints to
    stderr. Without it they give their bytes to `write`.
    """

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def _plain_file(path: Path) -> IO[bytes]:
    return io.BufferedWriter(_FileWithoutNumber(path, "w"))  # pyright: ignore[reportReturnType]


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
    if image.has_transparency_data:
        raise DataError(f"{path}: has transparency; flatten it to RGB without an alpha channel")
    if image.mode not in ("RGB", "L", "P", "1"):
        raise DataError(f"{path}: has the colour model {image.mode}; convert it to 8-bit RGB")


def _has_16_bits(image: Image.Image) -> bool:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return True
    # Pillow silently drops the low byte of 16-bit colour; only the decoder's raw mode tells
    for tile in getattr(image, "tile", ()):
        raw_mode = tile[3][0] if isinstance(tile[3], tuple) and tile[3] else tile[3]
        if isinstance(raw_mode, str) and ";16" in raw_mode:
            return True
    return False


def _problem(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels; crop or shrink it"
    if isinstance(error, Image.UnidentifiedImageError):
        return "is not an image, or of an unknown format; use PNG, JPEG, WebP, BMP or TIFF"
    if isinstance(error, OSError) and error.strerror and error.errno:
        return reason(error)
    return f"is damaged ({reason(error)}); replace the file"
