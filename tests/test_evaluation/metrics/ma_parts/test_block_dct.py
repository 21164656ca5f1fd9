import math

import numpy as np
import pytest
from scipy.fft import dctn

from evaluation.metrics.ma_parts.block_dct import (
    block_dct_features,
    block_statistics,
    highest_tenth_mean,
    lowest_tenth_mean,
)

# row and columns of the coefficients of a 7x7 block, as papers count them: from 1
ACROSS = {1: (2, 7), 2: (3, 7), 3: (5, 7), 4: (6, 7)}
DIAGONAL = {2: (2, 2), 3: (3, 4), 4: (3, 5), 5: (4, 7), 6: (5, 7), 7: (5, 7)}


def cells(rows, transposed=False):
    pairs = [(row, column) for row, (a, b) in rows.items() for column in range(a, b + 1)]
    return {(column, row) if transposed else (row, column) for row, column in pairs}


SETS = [cells(ACROSS), cells(DIAGONAL), cells(ACROSS, transposed=True)]


def shape(values):
    """The nearest on the grid by the ratio of moments, straight from the definition."""
    spread = np.mean(np.abs(values - values.mean()))
    ratio = np.var(values, ddof=1) / (spread**2 + 1e-7)
    grid = [0.03 + k * 0.001 for k in range(9971)]
    ratios = [math.gamma(1 / g) * math.gamma(3 / g) / math.gamma(2 / g) ** 2 for g in grid]
    return grid[int(np.argmin(np.abs(np.array(ratios) - ratio)))]


def plain_statistics(level):
    """Block after block with SciPy's transform: shape, variation and three directions each."""
    rows, columns = (math.ceil(length / 3) for length in level.shape)
    padded = np.zeros((3 * rows + 4, 3 * columns + 4))
    padded[2 : 2 + level.shape[0], 2 : 2 + level.shape[1]] = level
    result = np.empty((5, rows, columns))
    for row in range(rows):
        for column in range(columns):
            block = padded[3 * row : 3 * row + 7, 3 * column : 3 * column + 7]
            coefficients = dctn(block, norm="ortho")
            sizes = np.abs(coefficients.ravel()[1:])
            directions = []
            for cells_of_set in SETS:
                of_set = np.abs([coefficients[r - 1, c - 1] for r, c in sorted(cells_of_set)])
                directions.append(np.std(of_set, ddof=1) / (np.mean(of_set) + 1e-8))
            variation = np.std(sizes, ddof=1) / (np.mean(sizes) + 1e-7)
            result[:, row, column] = shape(coefficients.ravel()[1:]), variation, *directions
    return result


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (height, width))


def test_the_three_sets_are_all_coefficients_but_the_mean():
    assert [len(one) for one in SETS] == [16, 16, 16]
    whole = {(row, column) for row in range(1, 8) for column in range(1, 8)} - {(1, 1)}
    assert set.union(*SETS) == whole


@pytest.mark.parametrize("size", [(12, 15), (13, 11), (14, 7), (5, 40)])
def test_statistics_agree_with_scipys_transform(size):
    level = noise(*size)
    statistics = block_statistics(level)
    expected = plain_statistics(level)
    np.testing.assert_array_equal(statistics.shape, expected[0])
    np.testing.assert_allclose(statistics.variation, expected[1], rtol=1e-12)
    np.testing.assert_allclose(statistics.directions, expected[2:], rtol=1e-12)
    anisotropy = np.var(expected[2:], axis=0, ddof=1)
    np.testing.assert_allclose(statistics.anisotropy, anisotropy, rtol=1e-10)


def test_chunks_do_not_show():
    level = noise(9, 2100)  # a row of blocks longer than a chunk
    repeated = np.tile(level[:, :300], 7)
    whole, part = block_statistics(repeated), block_statistics(level[:, :300])
    # Some builds of BLAS sum a matrix's last columns in another order: one unit in the last place.
    np.testing.assert_allclose(whole.variation[:, :99], part.variation[:, :99], rtol=1e-15)
    tall, wide = block_statistics(level.T.copy()), block_statistics(level)
    np.testing.assert_allclose(tall.variation.T, wide.variation, rtol=1e-12)
    # across and down change places
    np.testing.assert_allclose(tall.directions[0].T, wide.directions[2], rtol=1e-12)
    np.testing.assert_allclose(tall.directions[1].T, wide.directions[1], rtol=1e-12)


def test_a_flat_image():
    statistics = block_statistics(np.full((21, 21), 0.5))
    inside = np.s_[1:-1, 1:-1]  # of the border, which zeros surround
    assert np.all(statistics.shape[inside] == 10)
    np.testing.assert_allclose(statistics.variation[inside], 0, atol=1e-8)
    assert np.all(statistics.variation[0] > 1)


@pytest.mark.parametrize(
    ("count", "lowest", "highest"),
    [
        (9, 0, 8),  # 1 value; from the 8th of 9 on: 7 and 8, counted from 0
        (10, 0, 8.5),
        (11, 0.5, 9),  # ceil(1.1) = 2 values; from the 9th on
        (20, 0.5, 18),  # from the 18th on
        (30, 1, 27.5),  # 0.9 * 30 = 27
        (100, 4.5, 94),  # from the 90th on: 89 to 99
    ],
)
def test_tenths_by_hand(count, lowest, highest):
    values = np.random.default_rng(1).permutation(count).astype(float)
    assert lowest_tenth_mean(values) == pytest.approx(lowest)
    first = 9 * count // 10 - 1
    assert highest_tenth_mean(values) == pytest.approx((first + count - 1) / 2)
    if count != 9:
        assert highest_tenth_mean(values) == pytest.approx(highest)


def test_features_are_tenths_and_means():
    level = noise(40, 31)
    shapes, variations, *directions = (plane.ravel() for plane in plain_statistics(level))
    anisotropies = np.var(directions, axis=0, ddof=1)
    count = 14 * 11  # 154: the 16 lowest; from the 138th on, the 17 highest
    assert len(shapes) == count
    expected = [
        np.sort(shapes)[:16].mean(),
        shapes.mean(),
        np.sort(variations)[-17:].mean(),
        variations.mean(),
        np.sort(anisotropies)[-17:].mean(),
        anisotropies.mean(),
    ]
    np.testing.assert_allclose(block_dct_features(level), expected, rtol=1e-12)
