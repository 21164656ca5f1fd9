"""NIQE: how far the local statistics of an image are from those of pristine photos.

Reference: A. Mittal, R. Soundararajan and A. C. Bovik, "Making a 'completely blind' image quality
analyzer", IEEE Signal Processing Letters 20(3), 2013; blocks of 96x96 as in the PIRM 2018
challenge. The result is that of the official MATLAB code, with one liberty: where a pixel equals
its local mean, as in flat areas, the normalised image is exactly 0. There the official code sees
the rounding errors of its filter, whose signs depend on the order of summation, and the signs
decide which side of zero a pixel counts for. Its score of an image with flat areas is therefore
defined to two decimals or so only; this one does not depend on the machine.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from numpy.typing import NDArray

from sr_images import agg_fit
from sr_images.imresize import imresize
from sr_program.errors import DataError, reason
from sr_program.files.downloads import PublishedFile, fetch

Array = NDArray[np.float64]

NIQE_PARAMETERS = PublishedFile(
    name="niqe_modelparameters.mat",
    title="the parameters of NIQE",
    url="https://raw.githubusercontent.com/roimehrez/PIRM2018/HEAD/utils/niqe_release/"
    "modelparameters.mat",
    content="3b212e8643102209c2354f4c8b74ecc8359f8e3c",
    flag="--niqe_parameters",
)

BLOCK = 96
_FEATURES = 36
_WINDOW, _SIGMA = 7, 7 / 6
# Grey levels: far above the rounding errors of the filter (1e-13), far below what pixels differ by.
_ZERO = 1e-10
# Down and right: the neighbours whose products with a pixel are fitted.
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


class Niqe:
    """The metric with the statistics of pristine photos; lower is better."""

    def __init__(self, parameters_path: str | os.PathLike[str] | None = None):
        """Loads the statistics.

        Args:
            parameters_path: a MATLAB file with `mu_prisparam` [1, 36] and `cov_prisparam` [36, 36];
                by default the official one, which is downloaded once.

        Raises:
            DataError: the file is missing, is none of NIQE's, or cannot be downloaded.
        """
        path = fetch(NIQE_PARAMETERS) if parameters_path is None else Path(parameters_path)
        self._mean, self._covariance = _load(path)

    def __call__(self, luma: NDArray[np.uint8]) -> float:
        """Scores an image.

        Args:
            luma: uint8 [H, W], 0..255, with at least two whole blocks of 96x96 pixels; what is left
                over at the right and bottom is ignored.

        Returns:
            The distance, >= 0; about 3 to 5 for photos.

        Raises:
            ValueError: not uint8 [H, W], too small, or so flat that fewer than two blocks have
                features.
        """
        features = self.features(luma)
        complete = features[~np.isnan(features).any(axis=1)]
        if len(complete) < 2:
            raise ValueError("NIQE is not defined: fewer than two 96x96 blocks are not flat")
        covariance = (self._covariance + np.cov(complete, rowvar=False)) / 2
        difference = self._mean - np.nanmean(features, axis=0)
        # the threshold for singular values is MATLAB's
        inverse = np.linalg.pinv(covariance, rcond=_FEATURES * np.finfo(np.float64).eps)
        return float(np.sqrt(difference @ inverse @ difference))

    def features(self, luma: NDArray[np.uint8]) -> Array:
        """Statistics of each 96x96 block.

        Args:
            luma: as for a call.

        Returns:
            float64 [blocks, 36]: 18 features of the image and 18 of the image halved. The blocks go
            down the first column, then down the second. NaN where a block has none of a sign.

        Raises:
            ValueError: not uint8 [H, W], or too small.
        """
        if luma.dtype != np.uint8 or luma.ndim != 2:
            raise ValueError(f"expected uint8 [H, W], got {luma.dtype} {list(luma.shape)}")
        rows, columns = (size // BLOCK for size in luma.shape)
        if rows * columns < 2:
            raise ValueError(
                f"an image of {luma.shape[0]}x{luma.shape[1]} pixels is too small for NIQE: it "
                f"needs two blocks of {BLOCK}x{BLOCK}"
            )
        image = luma[: rows * BLOCK, : columns * BLOCK].astype(np.float64)
        halved = imresize(image, scale=0.5)
        scales = [_block_features(image, BLOCK), _block_features(halved, BLOCK // 2)]
        by_rows = np.concatenate(scales, axis=1).reshape(rows, columns, _FEATURES)
        return by_rows.swapaxes(0, 1).reshape(-1, _FEATURES)


def _load(path: Path) -> tuple[Array, Array]:
    try:
        with path.open("rb") as file:
            content = scipy.io.loadmat(file)
        mean = np.asarray(content["mu_prisparam"], np.float64)
        covariance = np.asarray(content["cov_prisparam"], np.float64)
    except Exception as error:  # a damaged file makes SciPy's reader stumble anywhere
        problem = reason(error)
    else:
        fits = mean.size == _FEATURES and covariance.shape == (_FEATURES, _FEATURES)
        if fits and np.isfinite(mean).all() and np.isfinite(covariance).all():
            return mean.reshape(_FEATURES), covariance
        arrays = f"arrays {list(mean.shape)} and {list(covariance.shape)}"
        problem = "numbers that are not finite" if fits else arrays
    raise DataError(
        f"{path}: does not hold the parameters of NIQE ({problem}); "
        "name modelparameters.mat of the PIRM 2018 package"
    )


def _block_features(image: Array, size: int) -> Array:
    """18 features of each block, row by row of blocks."""
    return np.concatenate([_fits(blocks) for blocks in _normalised_blocks(image, size)])


def _normalised_blocks(image: Array, size: int) -> Iterator[Array]:
    """Rows of blocks [columns, size, size]: what is done to one stays in the processor's cache."""
    for top in range(0, image.shape[0], size):
        above = min(top, _WINDOW // 2)  # the rows that the window reaches into
        strip = image[top - above : top + size + _WINDOW // 2]
        normalised = _normalised(strip)[above : above + size]
        yield normalised.reshape(size, -1, size).swapaxes(0, 1)


def _normalised(image: Array) -> Array:
    """The image with the local mean removed, over the local standard deviation."""
    mean = _local_mean(image)
    deviation = _local_mean(image * image)
    deviation -= mean * mean
    np.sqrt(np.abs(deviation, out=deviation), out=deviation)
    difference = np.subtract(image, mean, out=mean)
    difference[np.abs(difference) < _ZERO] = 0
    deviation += 1
    return np.divide(difference, deviation, out=difference)


def _local_mean(image: Array) -> Array:
    kernel = cv2.getGaussianKernel(_WINDOW, _SIGMA, cv2.CV_64F)
    filtered = cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(filtered, np.float64)


def _fits(blocks: Array) -> Array:
    count, size, _ = blocks.shape
    fit = agg_fit.fit(np.ascontiguousarray(blocks).reshape(count, -1))
    features = [fit.alpha, (fit.left + fit.right) / 2]
    wrapped = np.pad(blocks, ((0, 0), (1, 0), (1, 1)), mode="wrap")
    for down, right in _SHIFTS:
        shifted = wrapped[:, 1 - down : 1 - down + size, 1 - right : 1 - right + size]
        fit = agg_fit.fit((blocks * shifted).reshape(count, -1))
        features += [fit.alpha, fit.mean, fit.left, fit.right]
    return np.stack(features, axis=1)
