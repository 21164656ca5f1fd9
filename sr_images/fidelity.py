"""PSNR, SSIM and RMSE of one image against its reference."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Of SSIM, as its authors give them.
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_K1, SSIM_K2 = 0.01, 0.03


def psnr(
    reference: NDArray[Any], image: NDArray[Any], *, data_range: float, border: int = 0
) -> float:
    """Peak signal-to-noise ratio, 10 log10(data_range^2 / MSE), in dB.

    Args:
        reference: array [H, W] or [H, W, C].
        image: array of the same shape and dtype.
        data_range: largest minus smallest possible value: 255 for uint8.
        border: pixels ignored on each side.

    Returns:
        dB; inf for identical images.

    Raises:
        ValueError: shapes or dtypes differ, or nothing is left inside of the border.
    """
    expected, actual = _inner(reference, image, data_range, border, smallest=1)
    mean_square = float(np.mean(np.square(expected - actual)))
    return math.inf if mean_square == 0 else 10 * math.log10(data_range**2 / mean_square)


def ssim(
    reference: NDArray[Any], image: NDArray[Any], *, data_range: float, border: int = 0
) -> float:
    """Mean structural similarity of two single-channel images.

    As in Wang et al., "Image quality assessment: from error visibility to structural similarity",
    2004: Gaussian window 11x11 of sigma 1.5, K1 = 0.01, K2 = 0.03, no sample correction, the mean
    over all windows that lie inside of the image.

    Args:
        reference: array [H, W].
        image: array of the same shape and dtype.
        data_range: largest minus smallest possible value: 255 for uint8.
        border: pixels ignored on each side before the windows are laid.

    Returns:
        Mean SSIM, at most 1; 1 for identical images.

    Raises:
        ValueError: not 2-D, shapes or dtypes differ, or fewer than 11x11 pixels inside of the
            border.
    """
    if reference.ndim != 2:
        raise ValueError(f"SSIM needs single-channel images [H, W], got {list(reference.shape)}")
    x, y = _inner(reference, image, data_range, border, smallest=SSIM_WINDOW)
    c1, c2 = (SSIM_K1 * data_range) ** 2, (SSIM_K2 * data_range) ** 2
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    variance_x = _window_mean(x * x) - mean_x**2
    variance_y = _window_mean(y * y) - mean_y**2
    covariance = _window_mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float(np.mean(luminance * structure))


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


def _window_mean(image: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA, cv2.CV_64F)
    margin = SSIM_WINDOW // 2
    filtered = np.asarray(cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel), np.float64)
    return filtered[margin:-margin, margin:-margin]


def _inner(
    reference: NDArray[Any],
    image: NDArray[Any],
    data_range: float,
    border: int,
    smallest: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if reference.shape != image.shape or reference.dtype != image.dtype:
        raise ValueError(
            f"the images differ in kind: {reference.dtype} {list(reference.shape)} "
            f"and {image.dtype} {list(image.shape)}"
        )
    if reference.ndim not in (2, 3):
        raise ValueError(f"expected [H, W] or [H, W, C], got {list(reference.shape)}")
    if not data_range > 0 or border < 0:
        raise ValueError(f"need data_range > 0 and border >= 0, got {data_range} and {border}")
    height, width = (size - 2 * border for size in reference.shape[:2])
    if min(height, width) < smallest:
        raise ValueError(
            f"images of {reference.shape[0]}x{reference.shape[1]} pixels are too small: "
            f"{smallest}x{smallest} must remain inside of a border of {border}"
        )
    inside = np.s_[border : border + height, border : border + width]
    return reference[inside].astype(np.float64), image[inside].astype(np.float64)
