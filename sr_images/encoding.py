"""How a picture is written: format, quality, and what is said of it; checked before any work."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from sr_images.formats import WRITABLE
from sr_images.picture import Picture
from sr_program.errors import UsageError
from sr_program.machine.optional_packages import require_extra

Strip = Literal["none", "gps", "all"]
Icc = Literal["keep", "convert"]

_NAMES = tuple(suffix[1:] for suffix in WRITABLE)


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How pictures are written.

    Example:
        write_picture("photo.webp", picture, Encoding(quality=90, strip="gps"))

    Attributes:
        format: "png", "jpg", "webp", "tif", …, as suffixes are written; None takes the suffix of
            the file.
        quality: 1 to 100, of JPEG (None: 95), AVIF and HEIC (90); WebP and JPEG XL are lossless
            without it. The others are always lossless.
        strip: "gps" leaves out where the photo was taken; "all" leaves out EXIF, XMP, IPTC, texts,
            resolution and settings. Colour profiles stay.
        icc: "keep" writes the profile that the file had, byte for byte; "convert" turns the pixels
            into sRGB, without a profile. Formats that hold no profile always do the latter.
        settings: What made the picture, by name; it is written as texts of a PNG, else as XMP.
    """

    format: str | None = None
    quality: int | None = None
    strip: Strip = "none"
    icc: Icc = "keep"
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises UsageError for a value that is none."""
        if self.format is not None and f".{self.format.lower()}" not in WRITABLE:
            raise UsageError(f"format={self.format}: is unknown; use one of {', '.join(_NAMES)}")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality={self.quality}: must be from 1 to 100")
        if self.strip not in ("none", "gps", "all"):
            raise UsageError(f"strip={self.strip}: must be none, gps or all")
        if self.icc not in ("keep", "convert"):
            raise UsageError(f"icc={self.icc}: must be keep or convert")


@dataclasses.dataclass(frozen=True)
class Holds:
    """What a format holds as it is written here.

    Attributes:
        longest: The longest side, pixels.
        most_bytes: Of uncompressed pixels.
        dtypes: Depths, the deepest last.
        alpha: Whether it holds transparency.
        icc: Whether it holds a colour profile.
        frames: Whether it holds more than one frame or page.
        quality: Whether a quality can be chosen.
    """

    longest: float = 2**31 - 1
    most_bytes: float = math.inf
    dtypes: tuple[str, ...] = ("uint8",)
    alpha: bool = True
    icc: bool = True
    frames: bool = False
    quality: bool = False


# (libjpeg stops before the 65535 of the standard. The header of BMP counts bytes in 32 bits.)
_ALL_DEPTHS = ("uint8", "uint16", "float32")
HOLDS = {
    "PNG": Holds(dtypes=("uint8", "uint16"), frames=True),
    "JPEG": Holds(65_500, alpha=False, quality=True),
    "WEBP": Holds(16_383, frames=True, quality=True),
    "TIFF": Holds(2**32 - 1, dtypes=_ALL_DEPTHS, frames=True),
    "BMP": Holds(most_bytes=2**32 - 2**20, alpha=False, icc=False),
    "GIF": Holds(65_535, icc=False, frames=True),
    "AVIF": Holds(65_535, frames=True, quality=True),
    "HEIC": Holds(16_384, quality=True),
    "JXL": Holds(2**30 - 1, icc=False, quality=True),
    "NPY": Holds(dtypes=_ALL_DEPTHS, icc=False),
}

# What setup.py calls the packages that a format needs.
EXTRAS = {"HEIC": "heic", "JXL": "jxl"}


def format_to_write(path: str | os.PathLike[str] | None, encoding: Encoding) -> str:
    """The format that is written, by the encoding or else by the suffix.

    Args:
        path: The file; None for a stream.
        encoding: How it is written.

    Raises:
        UsageError: Neither tells a format.
    """
    if encoding.format is not None:
        return WRITABLE[f".{encoding.format.lower()}"]
    if path is None:
        raise UsageError(f"a stream needs format=, one of {', '.join(_NAMES)}")
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE:
        raise UsageError(f"{path}: cannot write this format, use one of {', '.join(WRITABLE)}")
    return WRITABLE[suffix]


def check_encoding(
    path: str | os.PathLike[str] | None,
    height: int,
    width: int,
    like: Picture,
    encoding: Encoding | None = None,
    *,
    frames: int = 1,
) -> None:
    """Whether a picture could be written, told before there is one.

    Args:
        path: The file; None for a stream.
        height: Pixels.
        width: Pixels.
        like: A picture of the same channels and transparency, of any size.
        encoding: How it is written.
        frames: Or pages.

    Raises:
        UsageError: The format is unknown, cannot hold such a picture, or needs a package that is
            missing.
    """
    channels = like.pixels.shape[2] + (like.alpha is not None)
    check_shape(path, height, width, channels, encoding or Encoding(), frames=frames)


def check_shape(
    path: str | os.PathLike[str] | None,
    height: int,
    width: int,
    channels: int,
    encoding: Encoding,
    *,
    frames: int = 1,
) -> None:
    """As `check_encoding`, by the number of channels: 1 gray, 2 with alpha, 3 RGB, 4 with alpha."""
    name = format_to_write(path, encoding)
    told = "the result" if path is None else str(path)
    holds = HOLDS[name]
    if name in EXTRAS:
        require_extra(EXTRAS[name])
    if encoding.quality is not None and not holds.quality:
        raise UsageError(
            f"{told}: quality={encoding.quality} has no effect on {name}; leave it out"
        )
    if frames > 1 and not holds.frames:
        raise UsageError(
            f"{told}: {name} cannot hold {frames} frames or pages; use .png, .webp, .gif or .tif"
        )
    if channels in (2, 4) and not holds.alpha:
        raise UsageError(f"{told}: {name} cannot hold transparency; use .png, .webp or .tif")
    row_bytes = -(-channels * width // 4) * 4  # as BMP stores a row
    if max(height, width) > holds.longest or height * row_bytes > holds.most_bytes:
        others = " or ".join(other for other in (".png", ".tif") if WRITABLE[other] != name)
        raise UsageError(f"{told}: {name} cannot hold {width}x{height} pixels; use {others}")


def dtype_written(name: str, dtype: np.dtype) -> np.dtype:
    """The depth in which a format holds levels: their own, or else its deepest."""
    dtypes = HOLDS[name].dtypes
    return np.dtype(dtype.name if dtype.name in dtypes else dtypes[-1])
