import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from sr_data.degradations.blur import gaussian_blur, stretched_blur, stretched_kernel


def photo(height=40, width=52):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.4])
def test_a_round_blur_is_scipys(sigma):
    image = photo()
    radius = int(np.ceil(3 * sigma))
    expected = ndimage.gaussian_filter(
        image.astype(np.float64), (sigma, sigma, 0), mode="nearest", radius=(radius, radius, 0)
    )
    blurred = gaussian_blur(image, sigma)
    assert blurred.dtype == np.float32
    np.testing.assert_allclose(blurred, expected, atol=1e-3)


def test_a_stretched_blur_is_a_convolution():
    image, kernel = photo(), stretched_kernel(2.4, 0.8, 0.5)
    expected = [
        ndimage.convolve(image[..., channel].astype(np.float64), kernel, mode="nearest")
        for channel in range(3)
    ]
    blurred = stretched_blur(image, 2.4, 0.8, 0.5)
    assert blurred.dtype == np.float32
    np.testing.assert_allclose(blurred, np.stack(expected, -1), atol=2e-3)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.3, 4), st.floats(0.3, 4), st.floats(0, np.pi))
def test_a_stretched_kernel_moves_nothing(along, across, angle):
    kernel = stretched_kernel(along, across, angle)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)
    assert kernel.shape[0] % 2 == kernel.shape[1] % 2 == 1


def test_a_stretched_kernel_has_its_widths_and_its_direction():
    kernel = stretched_kernel(3.0, 1.0, np.pi / 6)
    offsets = np.arange(len(kernel)) - len(kernel) // 2
    down, right = np.meshgrid(offsets, offsets, indexing="ij")
    covariance = np.array(
        [
            [(kernel * right * right).sum(), (kernel * right * down).sum()],
            [(kernel * right * down).sum(), (kernel * down * down).sum()],
        ]
    )
    variances, directions = np.linalg.eigh(covariance)
    np.testing.assert_allclose(variances, [1, 9], rtol=0.06)  # cut off at 3 deviations
    right, down = directions[:, 1]
    assert np.arctan2(down, right) % np.pi == pytest.approx(np.pi / 6, abs=0.01)


def test_equal_widths_are_a_round_blur():
    image = photo()
    for angle in (0.0, 1.0):
        np.testing.assert_allclose(
            stretched_blur(image, 1.3, 1.3, angle), gaussian_blur(image, 1.3), atol=2e-3
        )
