"""First group of features: how the cosine transforms of small blocks are distributed.

Blocks of 7x7 pixels are centred on cells of 3x3, so they overlap by four; beyond the image they
see zeros. Of the 48 coefficients besides the mean, three statistics are taken, and their means over
all blocks and over the most telling tenth of them are the features.

Reference: M. Saad, A. Bovik, C. Charrier, "Blind image quality assessment: a natural scene
statistics approach in the DCT domain", 2012.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from evaluation.metrics.ma_parts.ggd_shape import shape_of_moments

_CELL, _BORDER = 3, 2
_SIDE = _CELL + 2 * _BORDER

# The coefficients by direction, (row, columns) counted from 0; three sets of 16, which share none.
_ACROSS = ((0, range(1, 7)), (1, range(2, 7)), (2, range(4, 7)), (3, range(5, 7)))
_DIAGONAL = (
    (1, range(1, 2)),
    (2, range(2, 4)),
    (3, range(2, 5)),
    (4, range(3, 7)),
    (5, range(4, 7)),
    (6, range(4, 7)),
)
_PER_SET = 16

_VARIATION_GUARD, _DIRECTION_GUARD = 1e-7, 1e-8

# blocks transformed at once: few enough for the processor's cache
_CHUNK = 640


class BlockStatistics(NamedTuple):
    """One value a block; float64 [ceil(H/3), ceil(W/3)]."""

    shape: NDArray[np.float64]
    """Of the generalised Gaussian fitted to the coefficients."""
    variation: NDArray[np.float64]
    """Standard deviation over mean of the magnitudes."""
    directions: NDArray[np.float64]
    """[3, ...]: the same within the coefficients across, diagonal, and down."""

    @property
    def anisotropy(self) -> NDArray[np.float64]:
        """Variance over the three directions."""
        return np.var(self.directions, axis=0, ddof=1)


def block_dct_features(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The six features of one size of an image.

    Args:
        level: float64 [H, W] in 0..1.

    Returns:
        float64 [6]: shape (mean of the lowest tenth, mean), variation (mean of the highest tenth,
        mean), anisotropy (mean of the highest tenth, mean).
    """
    statistics = block_statistics(level)
    shape, variation, anisotropy = statistics.shape, statistics.variation, statistics.anisotropy
    return np.array(
        [
            lowest_tenth_mean(shape),
            np.mean(shape),
            highest_tenth_mean(variation),
            np.mean(variation),
            highest_tenth_mean(anisotropy),
            np.mean(anisotropy),
        ]
    )


def lowest_tenth_mean(values: NDArray[np.float64]) -> float:
    """Mean of the ceil(n/10) smallest of n values."""
    count = -(-values.size // 10)
    return float(np.mean(np.partition(values, count - 1, axis=None)[:count]))


def highest_tenth_mean(values: NDArray[np.float64]) -> float:
    """Mean of the largest of n >= 2 values, from the floor(0.9 n)-th of the ascending ones on."""
    first = max(9 * values.size // 10 - 1, 0)
    return float(np.mean(np.partition(values, first, axis=None)[first:]))


def block_statistics(level: NDArray[np.float64]) -> BlockStatistics:
    """The statistics of all blocks.

    Args:
        level: float64 [H, W] in 0..1.

    Returns:
        float64 maps of one value a block.
    """
    height, width = level.shape
    rows, columns = -(-height // _CELL), -(-width // _CELL)
    padded = np.zeros((_CELL * rows + 2 * _BORDER, _CELL * columns + 2 * _BORDER))
    padded[_BORDER : _BORDER + height, _BORDER : _BORDER + width] = level
    blocks = sliding_window_view(padded, (_SIDE, _SIDE))[::_CELL, ::_CELL]
    result = np.empty((5, rows, columns))
    step = max(1, _CHUNK // columns)
    for start in range(0, rows, step):
        chunk = blocks[start : start + step].transpose(2, 3, 0, 1)
        statistics = _statistics(_coefficients(chunk.reshape(_SIDE, _SIDE, -1)))
        result[:, start : start + step] = statistics.reshape(5, *chunk.shape[2:])
    return BlockStatistics(result[0], result[1], result[2:])


def _coefficients(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine transforms of blocks [7, 7, n] without their means: [48, n], grouped by direction.

    One axis after the other, as in MATLAB. Where a block is flat along an axis, coefficients are
    rounding errors of 1e-17; the guard of 1e-8 lets them through to the ninth digit of a feature,
    so they should be the usual ones.
    """
    count = blocks.shape[2]
    down = np.matmul(_COSINES, blocks.swapaxes(0, 1)).swapaxes(0, 1)
    return np.matmul(_COSINES, down).reshape(_SIDE**2, count)[_BY_DIRECTION]


def _statistics(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape, variation and the three directions' variations of each block of [48, n]: [5, n]."""
    count = len(coefficients)
    magnitudes = np.abs(coefficients).reshape(3, _PER_SET, -1)
    means = np.mean(magnitudes, axis=1)
    mean = np.mean(means, axis=0)
    # the squares about a set's own mean add up to those about the common mean (Steiner)
    magnitudes -= means[:, np.newaxis]
    squares = np.einsum("skn,skn->sn", magnitudes, magnitudes)
    squares_of_all = squares.sum(axis=0) + _PER_SET * np.square(means - mean).sum(axis=0)

    deviations = coefficients - np.mean(coefficients, axis=0)
    variance = np.einsum("kn,kn->n", deviations, deviations) / (count - 1)
    mean_deviation = np.mean(np.abs(deviations, out=deviations), axis=0)

    result = np.empty((5, coefficients.shape[1]))
    result[0] = shape_of_moments(variance, mean_deviation)
    result[1] = np.sqrt(squares_of_all / (count - 1)) / (mean + _VARIATION_GUARD)
    result[2:] = np.sqrt(squares / (_PER_SET - 1)) / (means + _DIRECTION_GUARD)
    return result


def _cosines() -> NDArray[np.float64]:
    """The orthonormal DCT-II of one axis as a matrix [7, 7].

    Multiplied in MATLAB's order, for the last bits' sake.
    """
    frequency, position = np.mgrid[:_SIDE, :_SIDE]
    basis = np.sqrt(2 / _SIDE) * np.cos(np.pi * (2 * position + 1) * frequency / (2 * _SIDE))
    basis[0] = np.sqrt(1 / _SIDE)
    return basis


_COSINES = _cosines()
_BY_DIRECTION = (
    [_SIDE * row + column for row, columns in _ACROSS for column in columns]
    + [_SIDE * row + column for row, columns in _DIAGONAL for column in columns]
    + [_SIDE * column + row for row, columns in _ACROSS for column in columns]
)
