from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_images.luma import luma_of_gray, rgb_to_y

LEVEL = st.integers(0, 255)


@pytest.mark.parametrize(
    ("rgb", "y"),
    [
        ((0, 0, 0), 16),
        ((255, 255, 255), 235),
        ((255, 0, 0), 81),  # 16 + 65.481
        ((0, 255, 0), 145),  # 16 + 128.553 = 144.553
        ((0, 0, 255), 41),  # 16 + 24.966 = 40.966
        ((128, 128, 128), 126),  # 16 + 219 * 128 / 255 = 125.929
        ((0, 204, 68), 126),  # 16 + 102.8424 + 6.6576 = 125.5
    ],
)
def test_cases_computed_by_hand(rgb, y):
    assert rgb_to_y(np.array([[rgb]], np.uint8)) == [[y]]


@given(LEVEL, LEVEL, LEVEL)
def test_is_the_rounded_rational_value(red, green, blue):
    exact = 16 + (
        Fraction("65.481") * red + Fraction("128.553") * green + Fraction("24.966") * blue
    ) / Fraction(255)
    actual = rgb_to_y(np.array([[[red, green, blue]]], np.uint8))
    assert actual.dtype == np.uint8
    assert actual[0, 0] == floor(exact + Fraction(1, 2))


def test_a_gray_image_is_its_own_y():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(rgb_to_y(gray), gray)


def test_channel_order_is_rgb():
    image = np.zeros((2, 3, 3), np.uint8)
    image[0, 1] = (255, 0, 0)
    image[1, 2] = (0, 0, 255)
    np.testing.assert_array_equal(rgb_to_y(image), [[16, 81, 16], [16, 16, 41]])


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8)],
)
def test_other_kinds_are_refused(image):
    with pytest.raises(ValueError, match="uint8"):
        rgb_to_y(image)


def test_a_gray_image_is_its_own_luma() -> None:
    levels = np.arange(256, dtype=np.uint8)[None, :]
    np.testing.assert_array_equal(luma_of_gray(np.repeat(levels[..., None], 3, axis=2)), levels)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [  # by hand: 76.245, 149.685, 29.07, and 0.299 + 0.587 * 2 + 0.114 * 3 = 1.815
        ((255, 0, 0), 76),
        ((0, 255, 0), 150),
        ((0, 0, 255), 29),
        ((1, 2, 3), 2),
        ((0, 0, 250), 29),  # 28.5, a true half
    ],
)
def test_luma_of_a_tinted_gray_image(colour: tuple[int, int, int], expected: int) -> None:
    assert luma_of_gray(np.array([[colour]], np.uint8)).tolist() == [[expected]]
