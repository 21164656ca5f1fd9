"""Asymmetric generalised Gaussians, fitted to samples by their moments.

The density has one shape alpha and a scale on either side of zero. The estimate is that of
N. Lasmar, Y. Stitou and Y. Berthoumieu, "Multiscale skewed heavy tailed model for texture
analysis", ICIP 2009, with the grid of shapes that NIQE searches.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AsymmetricGaussians:
    """Parameters of some distributions, an array [N] each.

    Attributes:
        alpha: shape, a multiple of 0.001 in 0.2 ... 10; 2 is a Gaussian, 1 is Laplacian. 0.2 where
            a side has no samples.
        mean: of the distribution; NaN where a side has no samples.
        left: scale of the negative side; NaN without negative samples.
        right: scale of the positive side; NaN without positive samples.
    """

    alpha: Array
    mean: Array
    left: Array
    right: Array


def fit(samples: Array) -> AsymmetricGaussians:
    """Fits a distribution to each row.

    Args:
        samples: float64 [N, n], n >= 1.
    """
    left_count, left_sum, left_squares = _side(samples < 0, np.minimum(samples, 0))
    right_count, right_sum, right_squares = _side(samples > 0, np.maximum(samples, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        left_deviation = np.sqrt(left_squares / left_count)
        right_deviation = np.sqrt(right_squares / right_count)
        # NaN where there are no samples on one side: nothing but NaN follows from it below
        skew = left_deviation / right_deviation
        mean_magnitude = (right_sum - left_sum) / samples.shape[1]
        mean_square = (left_squares + right_squares) / samples.shape[1]
        ratio = mean_magnitude**2 / mean_square
    ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    table = _table()
    nearest = _nearest(table.ratios, ratio)
    left = left_deviation * table.deviation_to_scale[nearest]
    right = right_deviation * table.deviation_to_scale[nearest]
    mean = (right - left) * table.scales_to_mean[nearest]
    return AsymmetricGaussians(table.shapes[nearest], mean, left, right)


def _side(is_inside: NDArray[np.bool_], samples: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Number, sum and sum of squares of the samples on one side, for each row."""
    counts = np.array([np.count_nonzero(row) for row in is_inside])  # 5x as fast as with an axis
    return counts, samples.sum(axis=1), np.einsum("ij,ij->i", samples, samples)


def _nearest(ascending: Array, values: Array) -> NDArray[np.intp]:
    """Index of the entry with the least squared difference, the first of equals; 0 for NaN."""
    upper = np.clip(np.searchsorted(ascending, values), 1, len(ascending) - 1)
    lower = upper - 1
    is_lower = (values - ascending[lower]) ** 2 <= (ascending[upper] - values) ** 2
    return np.where(np.isnan(values), 0, np.where(is_lower, lower, upper))


@dataclass(frozen=True, eq=False)
class _Table:
    shapes: Array
    ratios: Array  # (E|x|)^2 / E(x^2) of the symmetric distribution: ascending
    deviation_to_scale: Array
    scales_to_mean: Array


@lru_cache(maxsize=1)
def _table() -> _Table:
    shapes = np.asarray(0.2 + 0.001 * np.arange(9801), np.float64)
    first, second, third = (gamma(number / shapes) for number in (1, 2, 3))
    return _Table(shapes, second**2 / (first * third), np.sqrt(first / third), second / first)
