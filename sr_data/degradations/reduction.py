"""Reduction by a whole scale, in floating point, with the kernels that cameras and programs use.

Each kernel is symmetric about the middle of the block of pixels that becomes one pixel: nothing is
moved. `sr_images.bicubic` is the reduction of 8-bit images that is exact to the grey level.
"""

from functools import lru_cache
from math import ceil, floor
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sr_images.bicubic import bicubic_taps

Kernel = Literal["bicubic", "area", "bilinear"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)


def reduce_image(image: NDArray[np.number], kernel: Kernel, scale: int = 4) -> NDArray[np.float32]:
    """Shrinks an image; the edge pixels are repeated outside of it.

    Args:
        image: uint8 or float32 [H, W, 3], sides multiples of `scale`.
        kernel: "bicubic" is MATLAB's, widened by the scale, "bilinear" the triangle that is widened
            by the scale, "area" the mean of the block.
        scale: whole factor >= 1.

    Returns:
        float32 [H/scale, W/scale, 3], neither rounded nor clipped: the bicubic kernel overshoots.
    """
    taps, first = kernel_taps(kernel, scale)
    image = np.asarray(image, np.float32)
    before, after = -first, len(taps) + first - scale
    if before or after:
        image = cv2.copyMakeBorder(image, before, after, before, after, cv2.BORDER_REPLICATE)
    # No matrix product: its threads would get in the way of training's.
    rows = sliding_window_view(image, len(taps), axis=0)[::scale]
    reduced = np.einsum("nwct,t->nwc", rows, taps)
    columns = sliding_window_view(reduced, len(taps), axis=1)[:, ::scale]
    return np.einsum("nmct,t->nmc", columns, taps)


@lru_cache(maxsize=16)
def kernel_taps(kernel: Kernel, scale: int) -> tuple[NDArray[np.float32], int]:
    """The weights of a kernel.

    Returns:
        float32 [taps] with the sum 1, and the position of the first one: output pixel i takes input
        pixels i * scale + first and following.
    """
    if kernel == "bicubic":
        weights, denominator, first = bicubic_taps(scale)
        return (weights / denominator).astype(np.float32), first
    if kernel == "area":
        return np.full(scale, 1 / scale, np.float32), 0
    if kernel == "bilinear":
        middle = (scale - 1) / 2
        positions = np.arange(floor(middle - scale) + 1, ceil(middle + scale))
        triangle = 1 - np.abs(positions - middle) / scale
        return (triangle / triangle.sum()).astype(np.float32), int(positions[0])
    raise ValueError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
