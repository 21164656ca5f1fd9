import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.metrics.ma_parts.ggd_shape import (
    _RATIOS,
    SHAPES,
    fitted_shape,
    nearest_shape,
    shape_of_moments,
)

# the definition, by Python's own gamma function
GRID = [0.03 + k * 0.001 for k in range(9971)]
RATIOS = np.array([math.gamma(1 / g) * math.gamma(3 / g) / math.gamma(2 / g) ** 2 for g in GRID])


def plainly_nearest(ratio):
    return GRID[int(np.argmin(np.abs(RATIOS - ratio)))]


def test_the_grid_is_one_product_and_one_sum_in_doubles():
    assert SHAPES.tolist() == GRID
    assert SHAPES.tolist() == np.linspace(0.03, 10, 9971).tolist()
    # what must not be taken instead: most last bits are others
    assert np.mean(np.arange(0.03, 10.0005, 0.001)[:9971] == SHAPES) < 0.1


@pytest.mark.parametrize(
    ("ratio", "shape"),
    [
        (2, 1),  # Laplace: variance 2 b^2, mean deviation b
        (math.pi / 2, 2),  # Gauss: mean deviation sigma * sqrt(2/pi)
        (0, 10),  # nothing of the kind: less than any on the grid
        (4 / 3, 10),  # uniform
        (1e300, 0.03),  # more than any on the grid
        (math.inf, 0.03),
    ],
)
def test_known_distributions(ratio, shape):
    assert nearest_shape(np.array(ratio)) == pytest.approx(shape, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 30) | st.floats(1.3, 1.4) | st.floats(0, 1e40))
def test_it_is_the_nearest_on_the_grid(ratio):
    assert nearest_shape(np.array(ratio)) == plainly_nearest(ratio)


def test_the_grid_finds_itself_and_half_way_takes_the_smaller_shape():
    np.testing.assert_allclose(_RATIOS, RATIOS, rtol=1e-12)
    assert np.all(np.diff(_RATIOS) < 0)  # the search relies on it
    np.testing.assert_array_equal(nearest_shape(_RATIOS), SHAPES)
    midpoints = (_RATIOS[:-1] + _RATIOS[1:]) / 2
    halfway = (_RATIOS[:-1] - midpoints) == (midpoints - _RATIOS[1:])  # where no rounding decides
    assert halfway.sum() > 1000
    np.testing.assert_array_equal(nearest_shape(midpoints[halfway]), SHAPES[:-1][halfway])


def test_moments_by_hand():
    # deviations -3, -1, 1, 3: variance 20/3, mean deviation 2; ratio 5/3 (less a guard of 1e-7)
    samples = np.array([[97.0, 99.0], [101.0, 103.0]])
    expected = plainly_nearest(20 / 3 / (4 + 1e-7))
    assert fitted_shape(samples) == expected
    assert shape_of_moments(20 / 3, 2.0) == expected
    assert samples.tolist() == [[97, 99], [101, 103]]


def test_the_guard_counts_for_faint_samples():
    faint = np.array([-3.0, -1.0, 1.0, 3.0]) * 1e-3
    assert fitted_shape(faint) == plainly_nearest(20 / 3 * 1e-6 / (4e-6 + 1e-7))
    assert fitted_shape(faint) != fitted_shape(1e3 * faint)


def test_equal_samples_have_the_largest_shape():
    assert fitted_shape(np.full((3, 3), 7.5)) == 10


@pytest.mark.parametrize("shape", [0.5, 1, 2, 4])
def test_samples_of_scipys_generalised_gaussian(shape):
    samples = stats.gennorm.rvs(shape, loc=3, scale=5, size=400_000, random_state=1)
    assert fitted_shape(samples) == pytest.approx(shape, rel=0.02)
