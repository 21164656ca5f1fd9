"""Root mean squared error, the distortion axis of the perception-distortion plane."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def rmse(reference: NDArray[np.uint8], image: NDArray[np.uint8], *, border: int = 0) -> float:
    """Root of the mean squared difference of two 8-bit images.

    Args:
        reference: uint8 [H, W] or [H, W, C], 0..255.
        image: uint8 array of the same shape.
        border: pixels ignored on each side.

    Returns:
        Grey levels, 0..255; over all channels.

    Raises:
        ValueError: not uint8, the shapes differ, or nothing is left inside of the border.
    """
    if reference.dtype != np.uint8 or image.dtype != np.uint8:
        raise ValueError(f"expected uint8 images, got {reference.dtype} and {image.dtype}")
    if reference.shape != image.shape or reference.ndim not in (2, 3):
        raise ValueError(
            "expected two images [H, W] or [H, W, C] of one shape, "
            f"got {list(reference.shape)} and {list(image.shape)}"
        )
    height, width = (size - 2 * border for size in reference.shape[:2])
    if border < 0 or min(height, width) < 1:
        raise ValueError(
            f"nothing of {reference.shape[0]}x{reference.shape[1]} pixels is left inside of a "
            f"border of {border}"
        )
    inside = np.s_[border : border + height, border : border + width]
    difference = reference[inside].astype(np.int32) - image[inside]
    return float(np.sqrt(np.mean(np.square(difference))))


def dataset_rmse(per_image: Sequence[float]) -> float:
    """RMSE of a set of images as in the PIRM 2018 challenge: the root of the mean of the MSEs.

    Every image counts the same, whatever its size.

    Args:
        per_image: RMSE of each image.

    Raises:
        ValueError: no images.

    Reference: Y. Blau et al., "The 2018 PIRM challenge on perceptual image super-resolution", ECCV
    workshops 2018.
    """
    if not len(per_image):
        raise ValueError("there is no RMSE of no images")
    return float(np.sqrt(np.mean(np.square(per_image))))
