import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics.grid import grid_measure, window_grids


def cell(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, 1, (4, 4))
    return values - values.mean()


def test_white_noise_has_no_grid():
    noise = np.random.default_rng(2).normal(128, 6, (960, 1280))
    assert window_grids(noise).shape == (300,)
    assert grid_measure([noise]) == pytest.approx(1, abs=0.05)


def test_noise_of_uint8_images_too():
    noise = np.random.default_rng(3).normal(128, 6, (960, 1280))
    assert grid_measure([np.rint(noise).astype(np.uint8)]) == pytest.approx(1, abs=0.05)


@given(seed=st.integers(0, 1000), contrast=st.floats(1, 50), level=st.floats(0, 255))
@settings(max_examples=10, deadline=None)
def test_contrast_and_level_do_not_matter(seed, contrast, level):
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 1, (64, 128)) + 0.3 * np.tile(cell(seed), (16, 32))
    found = window_grids(level + contrast * image)
    np.testing.assert_allclose(found, window_grids(1.5 * image), rtol=1e-9)


def test_a_pattern_alone_has_the_most():
    """All variance is that of the phases, so the ratio is √256.

    It is the middle window of nine, for mirroring breaks the pattern at the border.
    """
    image = 10 * np.tile(cell(0), (48, 48))
    assert window_grids(image)[4] == pytest.approx(16, rel=1e-9)


@pytest.mark.parametrize("shift", [(0, 0), (1, 3), (2, 2)])
@pytest.mark.parametrize(
    "one", [2 * cell(1), np.tile(2 * np.cos(np.pi * np.arange(4) / 2), (4, 1))]
)
def test_a_grid_in_noise(one, shift):
    """By its expectation: phases vary by the pattern's high-passed power and by the noise's."""
    pattern = np.roll(np.tile(one, (120, 120)), shift, (0, 1))
    image = pattern + np.random.default_rng(4).normal(0, 6, (480, 480))
    # The high-pass in the Fourier domain, in one period each and over all frequencies.
    blurred = [np.exp(-2 * (np.pi * np.fft.fftfreq(n)) ** 2) for n in (4, 256)]
    passed = [(1 - np.outer(each, each)) ** 2 for each in blurred]
    power = (np.abs(np.fft.fft2(one)) ** 2 * passed[0]).sum() / 256
    noise = 36 * passed[1].mean()
    expected = np.sqrt((power + noise / 256) / ((power + noise) / 256))
    assert grid_measure([image]) == pytest.approx(expected, rel=0.05)


def test_other_periods_are_no_grid():
    columns = np.arange(512)
    for period in (3, 5, 7, 16):
        image = np.random.default_rng(period).normal(0, 3, (512, 512))
        image += 3 * np.cos(2 * np.pi * columns / period)
        assert grid_measure([image]) < 1.1, period


def test_a_set_is_the_mean_of_its_windows():
    rng = np.random.default_rng(5)
    small, large = rng.normal(0, 5, (64, 100)), rng.normal(0, 5, (128, 130))
    large += np.tile(cell(6), (32, 33))[:, :130]
    windows = np.concatenate([window_grids(small), window_grids(large)])
    assert windows.shape == (5,)
    assert grid_measure([small, large]) == pytest.approx(windows.mean())
    assert grid_measure(iter([small])) == window_grids(small)[0]


def test_what_rounding_alone_does_does_not_count():
    """A slope of a quarter of a level a pixel is a staircase of period 4."""
    slope = np.tile(np.floor(np.arange(256) / 4), (128, 1)).astype(np.uint8)
    assert window_grids(slope).size == 0
    assert grid_measure([slope]) == grid_measure([np.full((64, 64), 7, np.uint8)]) == 1
    noise = np.random.default_rng(7).normal(128, 6, (128, 256))
    assert grid_measure([slope, noise]) == grid_measure([noise])


def test_an_image_without_a_window():
    with pytest.raises(ValueError, match="64x64 pixels or more"):
        grid_measure([np.zeros((63, 400))])
    with pytest.raises(ValueError, match="no image"):
        grid_measure([])
