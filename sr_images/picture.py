"""A decoded picture: its pixels, its transparency, and what a file says of it.

    file ─► Picture ─► (levels, enlarged, merged) ─► Picture ─► file

The depth of the file stays: uint8, uint16 or float32. A gray picture has one channel. Nothing here
knows a codec.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# uint8 0..255, uint16 0..65535, float32 0..1
Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]

WHITE: Mapping[str, float] = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


@dataclasses.dataclass(frozen=True)
class Attributes:
    """What a file says of its picture beside the pixels.

    Attributes:
        icc: The ICC profile of the pixels, byte for byte.
        exif: The EXIF block as TIFF has it, without the head that JPEG adds. Its orientation is 1:
            it has been applied to the pixels.
        xmp: The XMP packet.
        iptc: The IPTC-IIM records.
        dpi: Pixels an inch, across and down.
        texts: Keywords and texts: those of a PNG, the comment of a JPEG or GIF as "Comment".
        colour_chunks: The PNG chunks cICP, gAMA, cHRM and sRGB by name, byte for byte; and cICP of
            what an AVIF or HEIC says in its own way.
        duration_ms: How long a frame of an animation is shown.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    colour_chunks: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    duration_ms: float | None = None


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture, or one frame of an animation or page of a document, upright.

    Example:
        picture = Picture(np.zeros([4, 6, 1], np.uint16))
        picture.size, picture.is_gray, picture.white  # (4, 6), True, 65535.0

    Attributes:
        pixels: [H, W, 3] RGB, or [H, W, 1] gray; uint8 0..255, uint16 0..65535, float32 0..1.
        alpha: [H, W], of the same dtype and range, not multiplied into the pixels; None if the
            picture is opaque.
        attributes: What else the file says.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    attributes: Attributes = dataclasses.field(default_factory=Attributes)

    def __post_init__(self) -> None:
        """Raises ValueError for another shape or dtype."""
        shape = self.pixels.shape
        if len(shape) != 3 or shape[2] not in (1, 3) or 0 in shape:
            raise ValueError(f"pixels must be [H, W, 3] or [H, W, 1], got {list(shape)}")
        if self.pixels.dtype.name not in WHITE:
            raise ValueError(
                f"pixels must be uint8, uint16 or float32, got {self.pixels.dtype.name}"
            )
        if self.alpha is not None and (
            self.alpha.shape != shape[:2] or self.alpha.dtype != self.pixels.dtype
        ):
            raise ValueError(
                f"alpha must be {self.pixels.dtype.name} {list(shape[:2])}, got "
                f"{self.alpha.dtype.name} {list(self.alpha.shape)}"
            )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        height, width = self.pixels.shape[:2]
        return height, width

    @property
    def is_gray(self) -> bool:
        """Whether there is one channel."""
        return self.pixels.shape[2] == 1

    @property
    def white(self) -> float:
        """The value of white: 255, 65535 or 1."""
        return WHITE[self.pixels.dtype.name]

    @property
    def samples(self) -> NDArray[Any]:
        """Pixels and alpha in one array, [H, W, 1 to 4]: gray or RGB, and alpha if there is one."""
        if self.alpha is None:
            return self.pixels
        return np.concatenate([self.pixels, self.alpha[:, :, None]], axis=2)


def squeezed(samples: NDArray[Any]) -> NDArray[Any]:
    """[H, W] for one channel, as codecs take it."""
    return samples[:, :, 0] if samples.shape[2] == 1 else samples
