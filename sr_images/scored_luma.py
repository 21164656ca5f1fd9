"""The part of a picture that scores without an original look at: Y, without its border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sr_images.levels import in_depth
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_images.picture import Pixels

# Pixels of the Y channel that PIRM 2018 and most papers leave out.
BORDER = 4


def luma(pixels: Pixels, gray: bool) -> NDArray[np.uint8]:
    """The Y channel as the evaluation takes it.

    Args:
        pixels: [H, W, 3] or [H, W, 1].
        gray: Whether the photo is: then its luma is its own, from 0 to 255.

    Returns:
        uint8 [H, W].
    """
    rgb = np.broadcast_to(in_depth(pixels, np.uint8), (*pixels.shape[:2], 3))
    return luma_of_gray(rgb) if gray else rgb_to_y(rgb)


def inner(y: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the border; all of an image that is hardly more than its border."""
    cut = y[BORDER:-BORDER, BORDER:-BORDER]
    return cut if cut.size else y
