"""Second group of features: the distribution of wavelet coefficients, and how bands go together.

Reference: A. Moorthy, A. Bovik, "Blind image quality assessment: from natural scene statistics to
perceptual quality", 2011.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.ma_parts.divisive_normalization import normalized_bands
from evaluation.metrics.ma_parts.ggd_shape import fitted_shape
from evaluation.metrics.ma_parts.steerable_pyramid import SteerablePyramid, steerable_pyramid
from evaluation.metrics.ma_parts.structural_term import structural_terms
from sr_images.imresize import imresize


def scale_mixture_features(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The 45 features of an image's steerable pyramid.

    Args:
        luma: uint8 [H, W], at least 45x45.

    Returns:
        float64 [45]: shapes of the 12 normalised bands, the fine ones first; shapes of the two
            scales
        of each orientation together; structural terms of the high-pass residual and the 12 bands;
            of
        the normalised fine bands, two at a time.

    Raises:
        ValueError: a band is empty somewhere, as in flat images.
    """
    pyramid = steerable_pyramid(luma.astype(np.float64))
    fine, coarse = normalized_bands(pyramid)
    shapes = [fitted_shape(band) for band in (*fine, *coarse)]
    shapes += [
        fitted_shape(np.concatenate([band.ravel() for band in pair]))
        for pair in zip(fine, coarse, strict=True)
    ]
    across_orientations = structural_terms(fine, list(combinations(range(len(fine)), 2)))
    return np.array([*shapes, *_terms_with_highpass(pyramid), *across_orientations])


def _terms_with_highpass(pyramid: SteerablePyramid) -> list[float]:
    height, width = pyramid.highpass.shape
    enlarged = [imresize(band, shape=(height, width)) for band in pyramid.coarse]
    images = [pyramid.highpass, *pyramid.fine, *enlarged]
    return structural_terms(images, [(0, band) for band in range(1, len(images))])
