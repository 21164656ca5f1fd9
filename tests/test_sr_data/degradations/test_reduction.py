import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sr_data.degradations.reduction import KERNELS, kernel_taps, reduce_image
from sr_images.bicubic import bicubic_downscale


def photo(height=40, width=52, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.uint8)


def test_area_is_the_mean_of_blocks():
    image = photo()
    expected = image.reshape(10, 4, 13, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(reduce_image(image, "area"), expected, atol=1e-4)


@pytest.mark.parametrize(("kernel", "pillows"), [("bilinear", "BILINEAR"), ("bicubic", "BICUBIC")])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_kernels_are_pillows_inside(kernel, pillows, scale):
    """Pillow's kernels are the same, widened and with a = -0.5; its edges are not."""
    image = photo(48, 60).astype(np.float32)
    size = (60 // scale, 48 // scale)
    expected = np.stack(
        [
            np.asarray(Image.fromarray(image[..., channel]).resize(size, getattr(Image, pillows)))
            for channel in range(3)
        ],
        -1,
    )
    found = reduce_image(image, kernel, scale)
    inner = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-3)


def test_bilinear_by_hand():
    taps, first = kernel_taps("bilinear", 4)
    np.testing.assert_allclose(taps, np.array([1, 3, 5, 7, 7, 5, 3, 1]) / 32)
    assert first == -2
    taps, first = kernel_taps("bilinear", 3)
    np.testing.assert_allclose(taps, np.array([1, 2, 3, 2, 1]) / 9)
    assert first == -1


def test_bicubic_is_matlabs_but_for_its_rounding():
    """MATLAB rounds between the passes, half a level, and clips."""
    image = photo()
    found = np.clip(reduce_image(image, "bicubic"), 0, 255)
    assert np.abs(found - bicubic_downscale(image)).max() < 1.3
    assert np.abs(found - bicubic_downscale(image)).mean() < 0.4
    slope = np.repeat(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    exact = reduce_image(slope, "bicubic")
    np.testing.assert_array_equal(np.floor(exact + 0.5), bicubic_downscale(slope))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KERNELS),
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 9),
)
def test_kernels_are_centred(kernel, scale, rows, columns, seed):
    """A mirrored image gives the mirrored result; a kernel with a shift cannot do that."""
    shape = (rows * scale, columns * scale, 3)
    image = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    found = reduce_image(image, kernel, scale)
    assert found.shape == (rows, columns, 3) and found.dtype == np.float32
    for axis in (0, 1):
        mirrored = reduce_image(np.flip(image, axis), kernel, scale)
        np.testing.assert_allclose(np.flip(mirrored, axis), found, atol=1e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_grey_stays_grey(kernel):
    image = np.full((16, 24, 3), 77, np.uint8)
    np.testing.assert_allclose(reduce_image(image, kernel), 77, atol=1e-4)


def test_an_unknown_kernel():
    with pytest.raises(ValueError, match="bicubic, area, bilinear, got 'nearest'"):
        reduce_image(photo(), "nearest")  # pyright: ignore[reportArgumentType]
