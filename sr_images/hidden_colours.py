"""Colours under full transparency, which editors leave as they happen to be.

Nobody sees them, but whatever looks at more than one pixel mixes them into what is seen: a white
disc on transparent black gets a dark rim. They are replaced by the colour of the nearest pixel that
is seen (edge extension), so that what is mixed in is a colour of the picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def without_hidden_colours(pixels: NDArray, alpha: NDArray) -> NDArray:
    """Extends the colours that are seen over the pixels that are not.

    Args:
        pixels: [H, W, C], any dtype.
        alpha: [H, W]; 0 is fully transparent.

    Returns:
        Pixels of the same shape and dtype: where alpha is 0, those of the nearest pixel with alpha
        above 0. The same array if nothing is hidden, or everything.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return pixels
    nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    return pixels[rows, columns]
