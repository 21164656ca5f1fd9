"""MATLAB's bicubic reduction as a differentiable operation, for a loss on LR images.

The reference for whole images, rounding and edges is `sr_data`; this is its inside, unrounded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from sr_images.keys_kernel import RADIUS, keys_kernel


def reduce_inside(images: Any, scale: int) -> Any:
    """Reduces images as the training data were, but for the outermost two LR pixels.

    Args:
        images: [B, scale·h, scale·w, C], float; the sides at least 5·scale.
        scale: An even number.

    Returns:
        Float32 [B, h − 4, w − 4, C]: what the LR images have without two pixels at each edge.
    """
    x = ops.cast(images, "float32")[:, scale // 2 :, scale // 2 :]
    taps = _taps(scale)
    for shape, strides in (((-1, 1), (scale, 1)), ((1, -1), (1, scale))):
        kernel = taps.reshape(*shape, 1, 1) * np.eye(int(x.shape[-1]), dtype=np.float32)
        x = ops.conv(x, kernel, strides, "valid", "channels_last")
    height, width = (images.shape[axis] // scale - 2 * RADIUS for axis in (1, 2))
    return x[:, :height, :width]


def _taps(scale: int) -> NDArray[np.float32]:
    """The kernel's values at the HR pixels around one LR pixel, widened by the scale."""
    distance = np.abs((np.arange(2 * RADIUS * scale) + 0.5) / scale - RADIUS)
    taps = keys_kernel(distance)
    return (taps / taps.sum()).astype(np.float32)
