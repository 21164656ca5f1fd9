import numpy as np
import pytest
from scipy import ndimage

from sr_data.degradations.sensor_noise import mosaic_noise, pixel_noise


def flat(level, side=400):
    return np.full((side, side, 3), level, np.float32)


@pytest.mark.parametrize(("shot", "read"), [(0.0, 5.0), (0.5, 0.0), (0.3, 2.0)])
def test_mean_and_variance_follow_the_law(shot, read):
    for level in (0, 20, 200):
        noise = pixel_noise(flat(level), shot, read, np.random.default_rng(level))
        assert noise.dtype == np.float32
        variance = shot * level + read**2
        assert noise.mean() == pytest.approx(0, abs=4 * variance**0.5 / 690 + 1e-9)
        # 480 000 values: a standard deviation of 0.2 % of the variance
        assert noise.var() == pytest.approx(variance, rel=0.01)


def test_overshoot_below_black_has_the_noise_of_black():
    rng = np.random.default_rng(0)
    assert pixel_noise(flat(-9), 1.0, 3.0, rng).std() == pytest.approx(3, rel=0.01)


def correlation(one, other, shift):
    rolled = np.roll(other, shift, (0, 1))
    return (one * rolled).mean() / (one.std() * rolled.std())


def test_pixel_noise_is_independent():
    noise = pixel_noise(flat(100), 0.3, 2.0, np.random.default_rng(1))
    for channel in range(3):
        for shift in ((0, 1), (1, 0), (1, 1), (0, 2)):
            one = noise[..., channel]
            assert correlation(one, one, shift) == pytest.approx(0, abs=0.012)
    assert correlation(noise[..., 0], noise[..., 1], (0, 0)) == pytest.approx(0, abs=0.012)


def expected_covariance(kernel, sites, shift):
    """By the definition: mean over the 2 x 2 places of sum of k(p - s) k(p + shift - s) over s."""
    side = 12
    pattern = np.zeros((side, side))
    for row, column in sites:
        pattern[row::2, column::2] = 1
    total = 0.0
    for row in (4, 5):
        for column in (4, 5):
            taps = []
            for place in ((row, column), (row + shift[0], column + shift[1])):
                weights = np.zeros((side, side))
                weights[place[0] - 1 : place[0] + 2, place[1] - 1 : place[1] + 2] = kernel
                taps.append(weights * pattern)
            total += (taps[0] * taps[1]).sum() / 4
    return total


GREEN = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
RED = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_mosaic_noise_has_the_covariance_of_bilinear_demosaicing(corner):
    level, shot, read = 50, 0.4, 3.0
    rng = np.random.default_rng(2)
    noise = mosaic_noise(flat(level, 600), shot, read, rng, corner=corner)
    variance = shot * level + read**2
    sites = {
        0: [(0, 0)],
        1: [(0, 1), (1, 0)],
        2: [(1, 1)],
    }
    assert noise.mean() == pytest.approx(0, abs=0.05)
    for channel, kernel in ((0, RED), (1, GREEN), (2, RED)):
        one = noise[1:-1, 1:-1, channel]
        for shift in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3)):
            expected = variance * expected_covariance(kernel, sites[channel], shift)
            found = (one * np.roll(one, shift, (0, 1))).mean()
            assert found == pytest.approx(expected, abs=0.02 * variance)
    # the averages of the docstring
    np.testing.assert_allclose(
        noise.var(axis=(0, 1)) / variance, [9 / 16, 5 / 8, 9 / 16], atol=0.01
    )
    assert abs((noise[..., 0] * noise[..., 2]).mean()) < 0.02 * variance  # so there are colours


def test_the_pattern_begins_at_its_corner():
    """Only red has light, and so noise: where a red pixel lies the variance is whole."""
    image = flat(0, 300)
    image[..., 0] = 100
    for corner in ((0, 0), (1, 0), (0, 1)):
        rng = np.random.default_rng(3)
        noise = mosaic_noise(image, 1.0, 0.0, rng, corner=corner)
        variances = [
            [noise[row::2, column::2, 0].var() / 100 for column in (0, 1)] for row in (0, 1)
        ]
        expected = np.roll([[1, 0.5], [0.5, 0.25]], corner, (0, 1))
        np.testing.assert_allclose(variances, expected, atol=0.05)
        assert not noise[..., 1:].any()


def test_red_is_not_where_blue_is():
    """On a mosaic that is one colour's alone, its sites are the others' gaps."""
    alike = [
        mosaic_noise(flat(100, 8), 0.0, 1.0, np.random.default_rng(4), corner=corner)
        for corner in ((0, 0), (1, 1))
    ]
    np.testing.assert_array_equal(alike[0][..., 0], alike[1][..., 2])
    np.testing.assert_array_equal(alike[0][..., 1], alike[1][..., 1])


def test_smoothing_is_a_gaussian():
    plain, smooth = (
        mosaic_noise(flat(80, 60), 0.1, 2.0, np.random.default_rng(5), smoothing=sigma)
        for sigma in (0.0, 0.6)
    )
    expected = ndimage.gaussian_filter(plain, (0.6, 0.6, 0), truncate=4)
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(smooth[inner], expected[inner], atol=0.02)


def test_the_pattern_goes_on_beyond_the_edge():
    """The first row by hand: what lies above it is what lies below it."""
    image = np.full((4, 80_000, 3), 90, np.float32)
    noise = mosaic_noise(image, 0.0, 1.0, np.random.default_rng(6))
    # red: a site, the mean of two; green: a site, (1 + 1 + 2²) / 16; blue: one, the mean of two
    even, odd = noise[0, 2:-2:2].var(axis=0), noise[0, 3:-2:2].var(axis=0)
    np.testing.assert_allclose(even, [1, 0.375, 0.5], atol=0.03)
    np.testing.assert_allclose(odd, [0.5, 1, 1], atol=0.03)
