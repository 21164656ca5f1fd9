"""A picture refuses what is none."""

import numpy as np
import pytest

from sr_images.picture import Picture, squeezed


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255.0), (np.uint16, 65535.0), (np.float32, 1.0)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_size_depth_and_gray(dtype, white, channels):
    picture = Picture(np.zeros([4, 6, channels], dtype), np.zeros([4, 6], dtype))
    assert picture.size == (4, 6)
    assert picture.white == white
    assert picture.is_gray == (channels == 1)


@pytest.mark.parametrize(
    ("pixels", "alpha", "told"),
    [
        (np.zeros([4, 6], np.uint8), None, r"\[H, W, 3\]"),
        (np.zeros([4, 6, 4], np.uint8), None, r"\[H, W, 3\]"),
        (np.zeros([0, 6, 3], np.uint8), None, r"\[H, W, 3\]"),
        (np.zeros([4, 6, 3], np.int32), None, "int32"),
        (np.zeros([4, 6, 3], np.uint8), np.zeros([6, 4], np.uint8), "alpha"),
        (np.zeros([4, 6, 3], np.uint8), np.zeros([4, 6], np.uint16), "alpha"),
    ],
)
def test_refuses(pixels, alpha, told):
    with pytest.raises(ValueError, match=told):
        Picture(pixels, alpha)


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_have_alpha_last(channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (4, 5, channels + 1), np.uint8)
    opaque = Picture(values[:, :, :-1])
    np.testing.assert_array_equal(opaque.samples, values[:, :, :-1])
    seen_through = Picture(values[:, :, :-1], values[:, :, -1])
    np.testing.assert_array_equal(seen_through.samples, values)


def test_one_channel_loses_its_axis() -> None:
    values = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(squeezed(values[:, :, :1]), values[:, :, 0])
    assert squeezed(values) is values
