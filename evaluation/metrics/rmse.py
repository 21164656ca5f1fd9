"""Root mean squared error, the distortion axis of the perception-distortion plane."""

from collections.abc import Sequence

import numpy as np

from sr_images.fidelity import rmse

__all__ = ["dataset_rmse", "rmse"]


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
