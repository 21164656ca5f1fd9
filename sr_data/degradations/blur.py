"""Blur of a lens or of motion: Gaussian kernels, round or stretched, that move nothing."""

from math import ceil, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

# Beyond so many standard deviations a kernel is cut off: 0.3 % of a Gaussian's weight.
_REACH = 3


def gaussian_blur(image: NDArray[np.uint8 | np.float32], sigma: float) -> NDArray[np.float32]:
    """Blurs with a round Gaussian; the edge pixels are repeated outside of the image.

    Args:
        image: uint8 or float32 [H, W, 3].
        sigma: standard deviation, pixels, above 0.

    Returns:
        float32 [H, W, 3], not rounded.
    """
    offsets = np.arange(-_radius(sigma), _radius(sigma) + 1)
    taps = np.exp(-0.5 * (offsets / sigma) ** 2)
    taps /= taps.sum()
    blurred = cv2.sepFilter2D(image, cv2.CV_32F, taps, taps, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def stretched_blur(
    image: NDArray[np.uint8 | np.float32], along: float, across: float, angle: float
) -> NDArray[np.float32]:
    """Blurs with a Gaussian that is wider in one direction, as `stretched_kernel` gives it.

    Args:
        image: uint8 or float32 [H, W, 3].
        along: standard deviation in the direction of `angle`, pixels, above 0.
        across: standard deviation at right angles to it, pixels, above 0.
        angle: from the horizontal, radians, clockwise on the screen.

    Returns:
        float32 [H, W, 3], not rounded.
    """
    kernel = stretched_kernel(along, across, angle)
    blurred = cv2.filter2D(image, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def stretched_kernel(along: float, across: float, angle: float) -> NDArray[np.float64]:
    """The kernel of `stretched_blur`.

    Returns:
        float64 [2r + 1, 2r + 1], sum 1, the same after half a turn: it has no shift.
    """
    radius = _radius(max(along, across))
    offsets = np.arange(-radius, radius + 1)
    down, right = offsets[:, None], offsets[None, :]
    u = (cos(angle) * right + sin(angle) * down) / along
    v = (cos(angle) * down - sin(angle) * right) / across
    kernel = np.exp(-0.5 * (u**2 + v**2))
    return kernel / kernel.sum()


def _radius(sigma: float) -> int:
    return ceil(_REACH * sigma)
