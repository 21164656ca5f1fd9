"""Pixels and alpha in one array, as encoders take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_images.picture import Picture


def joined(picture: Picture) -> NDArray[Any]:
    """[H, W, C]: gray, gray and alpha, RGB, or RGB and alpha."""
    if picture.alpha is None:
        return picture.pixels
    return np.concatenate([picture.pixels, picture.alpha[:, :, None]], axis=2)


def squeezed(samples: NDArray[Any]) -> NDArray[Any]:
    """[H, W] for one channel."""
    return samples[:, :, 0] if samples.shape[2] == 1 else samples
