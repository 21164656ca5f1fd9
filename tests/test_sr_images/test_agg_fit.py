import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln

from sr_images.agg_fit import fit

SHAPES = np.array([(200 + step) / 1000 for step in range(9801)])


def fit_plainly(samples):
    """(alpha, mean, left, right) of a few samples, by a search through the whole grid."""
    left = np.sqrt(np.mean(samples[samples < 0] ** 2))
    right = np.sqrt(np.mean(samples[samples > 0] ** 2))
    skew = left / right
    ratio = np.mean(np.abs(samples)) ** 2 / np.mean(samples**2)
    ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    one, two, three = (gammaln(number / SHAPES) for number in (1, 2, 3))
    best = np.argmin((np.exp(2 * two - one - three) - ratio) ** 2)
    scale = np.exp((one[best] - three[best]) / 2)
    mean = (right - left) * scale * np.exp(two[best] - one[best])
    return SHAPES[best], mean, left * scale, right * scale


def as_columns(fitted):
    return np.stack([fitted.alpha, fitted.mean, fitted.left, fitted.right], axis=1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 9), st.floats(0.2, 5))
def test_agrees_with_a_search_through_the_grid(seed, shape, stretch):
    samples = stats.gennorm.rvs(shape, size=(3, 400), random_state=seed)
    samples[samples > 0] *= stretch
    samples[:, ::9] = 0  # zeros are on neither side, but count for the moments
    expected = [fit_plainly(row) for row in samples]
    np.testing.assert_allclose(as_columns(fit(samples)), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0])
def test_finds_the_parameters_of_a_distribution(shape):
    # the middles of equally likely intervals stand for the distribution
    levels = (np.arange(200_000) + 0.5) / 200_000
    samples = 3 * stats.gennorm.ppf(levels, shape)[np.newaxis]
    alpha, mean, left, right = as_columns(fit(samples))[0]
    assert alpha == pytest.approx(shape, rel=0.02)
    assert mean == pytest.approx(0, abs=1e-6)
    assert left == pytest.approx(3, rel=0.03)
    assert right == pytest.approx(left, rel=1e-9)


def test_two_values_are_the_flattest_shape():
    fitted = fit(np.array([[-2.0, 2.0]]))
    scale = 2 * np.exp((gammaln(0.1) - gammaln(0.3)) / 2)
    np.testing.assert_allclose(as_columns(fitted), [[10, 0, scale, scale]], atol=1e-9)


def test_a_peak_is_the_sharpest_shape():
    samples = np.full((1, 9216), 1e-9)
    samples[0, :2] = -1, 1
    samples[0, 2:4609] *= -1
    assert fit(samples).alpha == pytest.approx(0.2)


def test_rows_without_one_side():
    # as the official code: the first shape of the grid, and NaN for what cannot be known
    samples = np.array([[0.0, 1.0, 2.0], [0.0, -1.0, -2.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 2.0]])
    fitted = fit(samples)
    np.testing.assert_allclose(fitted.alpha[:3], 0.2)
    factor = np.exp((gammaln(5) - gammaln(15)) / 2)
    np.testing.assert_allclose(
        fitted.right, [np.sqrt(2.5) * factor, *[np.nan] * 2, fitted.right[3]]
    )
    np.testing.assert_allclose(fitted.left, [np.nan, np.sqrt(2.5) * factor, np.nan, fitted.left[3]])
    assert np.isnan(fitted.mean).tolist() == [True, True, True, False]
    np.testing.assert_allclose(as_columns(fitted)[3], fit_plainly(samples[3]))
