"""Levels of one depth in another: white stays white, halves are rounded up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sr_images.picture import WHITE


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
