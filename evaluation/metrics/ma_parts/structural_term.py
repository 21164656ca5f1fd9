"""How alike the structures of two images are: the structural term of SSIM, without luminance."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sr_images.fidelity import SSIM_K2, SSIM_SIGMA, SSIM_WINDOW

_MARGIN = SSIM_WINDOW // 2
_KERNEL = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA, cv2.CV_64F)
_C2 = (SSIM_K2 * 255) ** 2

# rows worked on at once: few enough for the processor's cache
_STRIP = 64

Floats = NDArray[np.float64]


def structural_terms(images: Sequence[Floats], pairs: Sequence[tuple[int, int]]) -> list[float]:
    """Means of (2 covariance + C) / (variance + variance + C), C = (0.03 * 255)^2.

    The moments are taken under a Gaussian window of 11x11 pixels with sigma 1.5, wherever a whole
    one fits, without a sample correction. Those of an image in many pairs are computed once.

    Args:
        images: float64 [H, W] each, all of one size, at least 11x11.
        pairs: numbers of two images each.

    Returns:
        One term a pair: at most 1, and 1 for an image with itself.

    Reference: Wang et al., "Image quality assessment: from error visibility to structural
    similarity", 2004.
    """
    height, width = (length - 2 * _MARGIN for length in images[0].shape)
    totals = np.zeros(len(pairs))
    for start in range(0, height, _STRIP):
        rows = slice(start, min(start + _STRIP, height) + 2 * _MARGIN)
        totals += _sums([image[rows] for image in images], pairs)
    return list(totals / (height * width))


def _sums(strips: list[Floats], pairs: Sequence[tuple[int, int]]) -> list[float]:
    """Sums instead of means, of a part of the images."""
    means = [_window_mean(strip) for strip in strips]
    # half of C goes to either variance of a pair
    variances = [
        _window_mean(strip * strip) - (mean * mean - _C2 / 2)
        for strip, mean in zip(strips, means, strict=True)
    ]
    sums = []
    for i, j in pairs:
        covariance = _window_mean(strips[i] * strips[j])
        covariance -= means[i] * means[j] - _C2 / 2
        covariance /= variances[i] + variances[j]
        sums.append(2 * float(covariance.sum()))
    return sums


def _window_mean(image: Floats) -> Floats:
    filtered = np.asarray(cv2.sepFilter2D(image, cv2.CV_64F, _KERNEL, _KERNEL), np.float64)
    return filtered[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
