"""Pixels of any depth as grey levels in [0, 255], and back; and of one depth in another.

White stays white. Whatever is rounded is rounded once, at the depth wanted, halves up.
"""

from __future__ import annotations

from typing import Any

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


def in_depth(levels: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Levels in another depth.

    16 bits to 8 divide by 257 and round halves up; 8 bits to 16 multiply by 257.

    Args:
        levels: uint8, uint16 or float32, in the range of a `Picture`; floats are clipped to 0..1.
        dtype: uint8, uint16 or float32.

    Returns:
        The same shape.
    """
    target = np.dtype(dtype)
    if levels.dtype == target:
        return levels
    if levels.dtype == np.uint16 and target == np.uint8:
        return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if levels.dtype == np.uint8 and target == np.uint16:
        return levels.astype(np.uint16) * np.uint16(257)
    if target == np.float32:
        return levels.astype(np.float32) / np.float32(WHITE[levels.dtype.name])
    scaled = np.clip(levels.astype(np.float64), 0, 1) * WHITE[target.name]
    return np.floor(scaled + 0.5).astype(target)


def check_range(pixels: Pixels) -> None:
    """Raises ValueError if floats are outside of [0, 1], or are no numbers."""
    if pixels.dtype != np.float32:
        return
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):  # NaN too
        raise ValueError(
            f"float32 pixels must lie in [0, 1], got {low:g} to {high:g}; divide them by white"
        )
