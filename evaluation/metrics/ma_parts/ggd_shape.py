"""The shape of the generalised Gaussian that a sample seems to be drawn from, by its moments.

A generalised Gaussian of shape g has variance / (mean absolute deviation)^2 =
Γ(1/g) Γ(3/g) / Γ(2/g)^2: 2 for g = 1 (Laplace), π/2 for g = 2 (Gauss), towards 4/3 as it nears a
uniform distribution. The shape is the one on a fixed grid whose ratio is nearest to the sample's.

Reference: K. Sharifi, A. Leon-Garcia, "Estimation of shape parameter for generalized Gaussian
distributions in subband decompositions of video", 1995.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gamma

# One multiplication and one addition: the forests' splits lie on these very doubles, and neither
# 30e-3 + k/1000 nor numpy.arange(0.03, 10, 0.001) gives the same last bits.
SHAPES: NDArray[np.float64] = 0.03 + np.arange(9971, dtype=np.float64) * 0.001

_RATIOS: NDArray[np.float64] = gamma(1 / SHAPES) * gamma(3 / SHAPES) / gamma(2 / SHAPES) ** 2
_ASCENDING_RATIOS = _RATIOS[::-1].copy()
_GUARD = 1e-7


def fitted_shape(samples: NDArray[np.float64]) -> float:
    """Shape of a generalised Gaussian fitted to samples.

    Args:
        samples: float64 of any dimensions, at least two values.

    Returns:
        A value of `SHAPES`; 10 for samples that are all equal.
    """
    deviations = samples.ravel() - np.mean(samples)
    mean_deviation = np.mean(np.abs(deviations, out=deviations))
    variance = np.sum(np.square(deviations, out=deviations)) / (samples.size - 1)
    return float(shape_of_moments(variance, mean_deviation))


def shape_of_moments(variance: ArrayLike, mean_deviation: ArrayLike) -> NDArray[np.float64]:
    """Shapes of the generalised Gaussians that have some moments.

    Args:
        variance: of the sample, with N - 1.
        mean_deviation: mean absolute deviation from the mean; of the same dimensions.

    Returns:
        float64 of the same dimensions, values of `SHAPES`.
    """
    ratio = np.asarray(variance) / (np.square(mean_deviation) + _GUARD)
    return nearest_shape(ratio)


def nearest_shape(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """The grid's shape whose ratio of moments is nearest, the smaller one at equal distances.

    Args:
        ratio: float64 of any dimensions.

    Returns:
        float64 of the same dimensions, values of `SHAPES`.
    """
    # ratios fall along the grid: entries before `right` are larger than the ratio, others are not
    right = len(SHAPES) - np.searchsorted(_ASCENDING_RATIOS, ratio, side="right")
    left = np.maximum(right - 1, 0)
    right = np.minimum(right, len(SHAPES) - 1)
    left_is_nearer = np.abs(_RATIOS[left] - ratio) <= np.abs(_RATIOS[right] - ratio)
    return SHAPES[np.where(left_is_nearer, left, right)]
