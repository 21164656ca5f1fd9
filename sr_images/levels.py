"""Pixels of any depth as grey levels in [0, 255], and back: rounded once, at the depth wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sr_images.picture import WHITE, Pixels
from sr_images.rounding import round_half_up

Levels = NDArray[np.float32]

_WHITE_LEVEL = np.float32(255)


def to_levels(pixels: Pixels) -> Levels:
    """Grey levels of pixels, nothing rounded: 16-bit values are divided by 257.

    Args:
        pixels: uint8 0..255, uint16 0..65535 or float32 0..1, of any shape.

    Returns:
        float32 in [0, 255], the same shape.
    """
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32)
    if pixels.dtype == np.uint16:
        return pixels / np.float32(257)
    return pixels * _WHITE_LEVEL


def from_levels(levels: NDArray[np.floating], dtype: DTypeLike) -> Pixels:
    """Pixels of grey levels: clipped, and rounded once, halves up.

    Args:
        levels: float, of any shape and range.
        dtype: uint8, uint16 or float32. Floats are not rounded.

    Returns:
        The pixels, 0 to 255, 65535 or 1.
    """
    white = WHITE[np.dtype(dtype).name]
    steps = levels.dtype.type(white / 255)
    scaled = np.clip(levels if white == 255 else levels * steps, 0, white)
    if white == 1:
        return scaled.astype(np.float32)
    return round_half_up(scaled, np).astype(dtype)


def check_range(pixels: Pixels) -> None:
    """Raises ValueError if floats are outside of [0, 1], or are no numbers."""
    if pixels.dtype != np.float32:
        return
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):  # NaN too
        raise ValueError(
            f"float32 pixels must lie in [0, 1], got {low:g} to {high:g}; divide them by white"
        )
