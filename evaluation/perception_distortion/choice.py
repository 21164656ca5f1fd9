"""Which ξ gives a wanted distortion."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from evaluation.reports.published import MODELS

# Where the paper's Bi-GANs-ST lies between its two generators, in mean squared error (Table 2):
# (15.77² − 11.36²) / (16.28² − 11.36²) = 0.88.
PAPER_POSITION = (MODELS["Bi-GANs-ST"].rmse ** 2 - MODELS["MR-SRGAN"].rmse ** 2) / (
    MODELS["WP-SRGAN"].rmse ** 2 - MODELS["MR-SRGAN"].rmse ** 2
)


@dataclasses.dataclass(frozen=True)
class Choice:
    """A place on the curve.

    Attributes:
        xi: ξ in [0, 1].
        rmse: The distortion there, grey levels, interpolated in mean squared error.
    """

    xi: float
    rmse: float


def xi_for_rmse(
    grid: NDArray[np.float64], mean_squares: NDArray[np.float64], target: float
) -> Choice | None:
    """The largest ξ whose distortion stays at or below a target.

    Args:
        grid: ξ, ascending from 0 to 1.
        mean_squares: The mean squared error at each, grey levels².
        target: RMSE, grey levels.

    Returns:
        The place; None if even the least distortion of the curve is above the target.
    """
    wanted = target**2
    below = np.flatnonzero(mean_squares <= wanted)
    if not len(below):
        return None
    last = int(below[-1])
    if last == len(grid) - 1:
        return Choice(1.0, math.sqrt(mean_squares[-1]))
    low, high = mean_squares[last], mean_squares[last + 1]
    share = (wanted - low) / (high - low)
    return Choice(float(grid[last] + share * (grid[last + 1] - grid[last])), target)


def xi_at_position(
    grid: NDArray[np.float64], mean_squares: NDArray[np.float64], position: float = PAPER_POSITION
) -> Choice | None:
    """ξ at a share of the way from the faithful to the vivid generator, in mean squared error.

    Args:
        grid: ξ, ascending from 0 to 1.
        mean_squares: The mean squared error at each, grey levels².
        position: The share; the paper's is 0.88.

    Returns:
        The place; None if the vivid generator's error is not the larger one.
    """
    first, last = float(mean_squares[0]), float(mean_squares[-1])
    if not last > first:
        return None
    return xi_for_rmse(grid, mean_squares, math.sqrt(first + position * (last - first)))
