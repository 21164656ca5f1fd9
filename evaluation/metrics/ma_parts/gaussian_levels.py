"""The three sizes at which the metric of Ma et al. looks at an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

NUM_LEVELS = 3
_SIGMA = 0.5


def gaussian_levels(luma: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """The image, and twice what a Gaussian of 3x3 pixels leaves of it at half the size.

    Outside of the image lies black. The even pixels are kept, counted from 1.

    Args:
        luma: uint8 [H, W], at least four pixels high and wide.

    Returns:
        Three float64 images in 0..1: [H, W], [H//2, W//2], [H//4, W//4].
    """
    levels = [luma / 255.0]
    while len(levels) < NUM_LEVELS:
        levels.append(_halved(levels[-1]))
    return levels


def gaussian_kernel() -> NDArray[np.float64]:
    """One axis of the Gaussian, float64 [3], of sum 1."""
    weights = np.exp(-np.square(np.arange(-1, 2)) / (2 * _SIGMA**2))
    return weights / weights.sum()


def _halved(image: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel = gaussian_kernel()
    smooth = cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(np.asarray(smooth, np.float64)[1::2, 1::2])
