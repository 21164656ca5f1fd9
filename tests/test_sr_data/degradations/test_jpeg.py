import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, JpegImagePlugin

from sr_data.degradations.jpeg import jpeg_bytes, through_jpeg


def photo(height=48, width=64, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.uint8)


@pytest.mark.parametrize("quality", [30, 75, 98])
@pytest.mark.parametrize("half_colour", [False, True])
def test_the_same_as_pillows(quality, half_colour):
    """Pillow has a libjpeg-turbo of its own, and other code around it."""
    image = photo()
    file = io.BytesIO()
    subsampling = "4:2:0" if half_colour else "4:4:4"
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=subsampling)
    expected = np.asarray(Image.open(file)).astype(int)
    found = through_jpeg(image, quality, half_colour=half_colour).astype(int)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("half_colour", [False, True])
def test_the_file_says_what_was_asked_for(half_colour):
    file = Image.open(io.BytesIO(jpeg_bytes(photo(), 60, half_colour=half_colour)))
    assert isinstance(file, JpegImagePlugin.JpegImageFile)
    assert JpegImagePlugin.get_sampling(file) == (2 if half_colour else 0)
    pillows = io.BytesIO()
    Image.fromarray(photo()).save(pillows, "JPEG", quality=60)
    expected = Image.open(pillows)
    assert isinstance(expected, JpegImagePlugin.JpegImageFile)
    assert file.quantization == expected.quantization


def test_half_the_colour_is_gone():
    """Columns of red and green at equal luma: 4:4:4 keeps them, 4:2:0 mixes them."""
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, 0::2] = (200, 0, 0)
    image[:, 1::2] = (0, 102, 0)
    whole, half = (through_jpeg(image, 98, half_colour=half).astype(int) for half in (False, True))
    assert np.abs(whole[:, 0::2, 0].mean() - whole[:, 1::2, 0].mean()) > 170
    assert np.abs(half[:, 0::2, 0].mean() - half[:, 1::2, 0].mean()) < 60


def steps(image, axis):
    """Mean size of the steps between neighbours, by the position of the second modulo 8."""
    difference = np.abs(np.diff(image.astype(float).mean(-1), axis=axis)).mean(axis=1 - axis)
    positions = (np.arange(len(difference)) + 1) % 8
    return np.array([difference[positions == one].mean() for one in range(8)])


@pytest.mark.parametrize("corner", [(0, 0), (3, 5), (7, 1), (12, 9)])
def test_blocks_begin_where_they_were_told(corner):
    """A slope becomes stairs whose steps are the edges of blocks."""
    rows, columns = np.mgrid[:160, :160]
    image = (60 + 0.4 * rows + 0.4 * columns)[..., None].repeat(3, 2)
    image += np.random.default_rng(0).normal(0, 3, image.shape)
    coded = through_jpeg(image.astype(np.uint8), 10, half_colour=False, corner=corner)
    assert coded.shape == image.shape
    for axis in (0, 1):
        assert steps(coded, axis).argmax() == -corner[axis] % 8


def test_a_corner_is_a_place_in_a_larger_photo():
    """Blocks that lie in the image wholly are those of the larger photo."""
    large = photo(64, 64)
    expected = through_jpeg(large, 50, half_colour=False)[5:, 3:]
    found = through_jpeg(large[5:, 3:], 50, half_colour=False, corner=(5, 3))
    np.testing.assert_array_equal(found[3:, 5:], expected[3:, 5:])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 15),
    st.integers(0, 15),
    st.booleans(),
    st.integers(1, 100),
)
def test_any_size(height, width, above, left, half_colour, quality):
    image = photo(height, width)
    before = image.copy()
    found = through_jpeg(image, quality, half_colour=half_colour, corner=(above, left))
    assert found.shape == image.shape and found.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


def test_better_quality_is_nearer():
    image = photo().astype(int)
    errors = [
        np.square(through_jpeg(image.astype(np.uint8), quality, half_colour=True) - image).mean()
        for quality in (30, 50, 75, 98)
    ]
    assert errors == sorted(errors, reverse=True)
