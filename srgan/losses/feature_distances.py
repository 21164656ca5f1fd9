"""What L_vgg compares features by: Eq. (5)'s squared error, or one of two that are not the paper's.

Both come from measures of image quality, without the weights that those learned from people's
judgements. They have no unit, so that layers need no factor to be of one magnitude.

References: Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric"
(LPIPS), arXiv 1801.03924, Section 3; Ding et al., "Image quality assessment: unifying structure and
texture similarity" (DISTS), arXiv 2004.07728, Section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

# Below the squared length of features of a flat region; keeps the gradient finite at length 0.
_SHORTEST = 1e-4

# c1 and c2 of DISTS, for maps that are zero or flat.
_STABILIZER = 1e-6


def squared_error(hr: Any, sr: Any) -> Any:
    """The mean squared difference, Eq. (5).

    Args:
        hr: float32 [B, h, w, C], features of the HR images.
        sr: The same shape, features of the generated images.

    Returns:
        A float32 scalar.
    """
    return ops.mean(ops.square(hr - sr))


def unit_distance(hr: Any, sr: Any) -> Any:
    """The squared distance of each place's features, as vectors of length 1; the mean over places.

    It is that of LPIPS with the same weight for all channels: 0 for features of the same
    direction, 2 for features that have nothing in common. Contrast does not count.

    Args:
        hr: float32 [B, h, w, C], features of the HR images.
        sr: The same shape, features of the generated images.

    Returns:
        A float32 scalar.
    """
    return ops.mean(ops.sum(ops.square(_of_length_1(hr) - _of_length_1(sr)), axis=-1))


def structure_texture_distance(hr: Any, sr: Any) -> Any:
    """One minus the similarities of DISTS, each map of each image counting the same.

    With μ, σ² and σxy of a whole map, its texture is l = (2·μx·μy + c1) / (μx² + μy² + c1) and its
    structure s = (2·σxy + c2) / (σx² + σy² + c2), c1 = c2 = 1e-6. The distance is 1 minus the mean
    of (l + s) / 2. Texture is the same wherever in the crop it lies.

    Args:
        hr: float32 [B, h, w, C], features of the HR images.
        sr: The same shape, features of the generated images.

    Returns:
        A float32 scalar, 0 for equal features.
    """
    places = (1, 2)
    hr_mean, sr_mean = (ops.mean(x, places, keepdims=True) for x in (hr, sr))
    hr, sr = hr - hr_mean, sr - sr_mean
    texture = _similarity(hr_mean * sr_mean, ops.square(hr_mean) + ops.square(sr_mean))
    structure = _similarity(
        ops.mean(hr * sr, places), ops.mean(ops.square(hr) + ops.square(sr), places)
    )
    return 1.0 - (ops.mean(texture) + ops.mean(structure)) / 2.0


def _of_length_1(features: Any) -> Any:
    squared = ops.sum(ops.square(features), axis=-1, keepdims=True)
    return features * ops.rsqrt(squared + _SHORTEST)


def _similarity(product: Any, squares: Any) -> Any:
    return (2.0 * product + _STABILIZER) / (squares + _STABILIZER)


# By the values of `ObjectiveConfig.vgg_distance`.
FEATURE_DISTANCES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": squared_error,
    "unit": unit_distance,
    "structure_texture": structure_texture_distance,
}
