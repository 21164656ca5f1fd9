"""How much of a grid of 4 pixels stands out of an image's fine detail; 1 is none."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

_PERIOD = 4  # of the grid that a generator of 4x prints, pixels
SIDE = 64  # of a window, pixels; a multiple of the period
_BLUR = 1.0  # standard deviation of what the high-pass takes away, pixels

# What rounding to whole grey levels does alone: a pattern weaker than that is not seen, and the
# rounding of a slope can have any period.
_ROUNDING = 12**-0.5


def window_grids(luma: NDArray[np.number]) -> NDArray[np.float64]:
    """The grid of each window of an image, over what plain noise would give there.

    High-passed luma is the image minus its Gaussian blur (σ = 1 pixel, mirrored at the borders).
    In windows of 64x64 pixels, side by side from the top left, it is averaged over the 256 pixels
    of each of the 16 phases of the grid. Where there is no grid, these means differ by chance
    alone: their standard deviation is that of the window's high-passed pixels, σ, divided by √256.
    The measure is the standard deviation over this σ / 16. It does not depend on contrast, and it
    asks for no reference. Of white noise it is 1.00 (the high-pass correlates neighbours and the
    mean of a root is less than the root of a mean, which cancel to 0.01). At most it is 16, of a
    pattern alone.

    Args:
        luma: Y, [H, W], grey levels, no side under 64 pixels.

    Returns:
        [windows]; those that vary less than by rounding have neither grid nor detail and are left
        out, so there may be none.

    Raises:
        ValueError: The image is smaller than a window.
    """
    if min(luma.shape) < SIDE:
        raise ValueError(f"a grid shows in {SIDE}x{SIDE} pixels or more, not in {luma.shape}")
    image = luma.astype(np.float64)
    detail = image - gaussian_filter(image, _BLUR, mode="mirror")
    down, across = (side // SIDE for side in detail.shape)
    cells = SIDE // _PERIOD
    windows = detail[: down * SIDE, : across * SIDE].reshape(
        down, cells, _PERIOD, across, cells, _PERIOD
    )
    of_phases = windows.mean(axis=(1, 4)).std(axis=(1, 3)).ravel()
    of_pixels = windows.std(axis=(1, 2, 4, 5)).ravel()
    seen = of_pixels > _ROUNDING
    return of_phases[seen] / (of_pixels[seen] / cells)


def grid_measure(images: Iterable[NDArray[np.number]]) -> float:
    """The grid of one image or of a set: the mean over all windows of all images.

    Args:
        images: Y of each, see `window_grids`.

    Returns:
        1 where no grid stands out of the detail, also where there is no detail at all.

    Raises:
        ValueError: An image is smaller than a window, or there is no image.
    """
    windows = [window_grids(luma) for luma in images]
    if not windows:
        raise ValueError("there is no image to look for a grid in")
    every = np.concatenate(windows)
    return float(every.mean()) if every.size else 1.0
