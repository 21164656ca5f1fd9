"""Samples as a decoder gives them, into a picture: upright, opaque alpha left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sr_images.attributes.on_reading import of_upright_picture
from sr_images.orientation import turns_sides, upright
from sr_images.picture import WHITE, Attributes, Picture

Samples = NDArray[Any]


@dataclasses.dataclass
class Decoded:
    """What a decoder gives of one frame.

    Attributes:
        samples: [H, W], or [H, W, C]: gray, gray and alpha, RGB, or RGB and alpha; uint8, uint16 or
            float32, in the range of a `Picture`, as the file stores them.
        attributes: Of the picture; EXIF and XMP as the file has them.
        alpha: [H, W], if it is not the last channel.
        premultiplied: The colours have been multiplied by alpha.
        orientation: 1 to 8, as EXIF counts: what is still to be turned.
    """

    samples: Samples
    attributes: Attributes = dataclasses.field(default_factory=Attributes)
    alpha: Samples | None = None
    premultiplied: bool = False
    orientation: int = 1


class Frames(Protocol):
    """An opened file."""

    @property
    def count(self) -> int:
        """Frames of an animation, or pages."""
        ...

    @property
    def loop(self) -> int | None:
        """How often an animation is shown, 0 for ever; None if the file does not say."""
        ...

    @property
    def is_animation(self) -> bool:
        """Whether the frames are shown one after the other."""
        ...

    def __iter__(self) -> Iterator[Decoded]:
        """The frames in turn."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


def picture_of(decoded: Decoded) -> Picture:
    """The picture: upright; without alpha if that is opaque everywhere."""
    samples, alpha = decoded.samples, decoded.alpha
    if samples.ndim == 2:
        samples = samples[:, :, None]
    if samples.shape[2] in (2, 4):
        samples, alpha = samples[:, :, :-1], samples[:, :, -1]
    if alpha is not None and bool((alpha == WHITE[alpha.dtype.name]).all()):
        alpha = None
    if alpha is not None and decoded.premultiplied:
        samples = _divided(samples, alpha)
    attributes = of_upright_picture(decoded.attributes, turns_sides(decoded.orientation))
    return Picture(
        np.ascontiguousarray(upright(samples, decoded.orientation)),
        None if alpha is None else np.ascontiguousarray(upright(alpha, decoded.orientation)),
        attributes,
    )


def scaled(samples: Samples, most: int) -> Samples:
    """Whole numbers stretched to 8 or 16 bits so that white stays white.

    Args:
        samples: Unsigned, 0 to `most`.
        most: White, at most 65535.

    Returns:
        uint8 for whites up to 255, else uint16, the same shape.
    """
    white, dtype = (255, np.uint8) if most <= 255 else (65535, np.uint16)
    if most == white:
        return samples.astype(dtype, copy=False)
    kept = np.minimum(samples, most).astype(np.uint32)
    return ((kept * white + most // 2) // most).astype(dtype)


def has_gray_colours(colours: Samples) -> bool:
    """Whether R = G = B in all of [..., 3]."""
    red = colours[..., 0]
    return bool((red == colours[..., 1]).all() and (red == colours[..., 2]).all())


def _divided(samples: Samples, alpha: Samples) -> Samples:
    """Colours that were multiplied by alpha, as they were; black where alpha is 0."""
    white = WHITE[samples.dtype.name]
    divisor = np.maximum(alpha, 1 if white > 1 else np.float32(1e-6)).astype(np.float64)
    colours = np.clip(samples * (white / divisor)[:, :, None], 0, white)
    if white > 1:
        colours = np.floor(colours + 0.5)
    return colours.astype(samples.dtype)
