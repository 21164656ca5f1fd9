import math
from typing import Any

import numpy as np
import pytest
from skimage.metrics import mean_squared_error

from evaluation.metrics.rmse import dataset_rmse, rmse


def test_by_hand():
    reference = np.array([[0, 0], [0, 255]], np.uint8)
    image = np.array([[3, 0], [0, 251]], np.uint8)  # squares 9 and 16
    assert rmse(reference, image) == pytest.approx(2.5, abs=1e-12)
    # unsigned differences must not wrap around
    assert rmse(image, reference) == rmse(reference, image)
    assert rmse(image, image) == 0


def test_extremes_do_not_overflow():
    black, white = np.zeros((3, 3), np.uint8), np.full((3, 3), 255, np.uint8)
    assert rmse(black, white) == 255


def test_colour_is_over_all_channels():
    image = np.array([[[0, 0, 3]]], np.uint8)
    assert rmse(np.zeros_like(image), image) == pytest.approx(math.sqrt(3))


def test_agrees_with_scikit_image_inside_of_a_border():
    reference, image = np.random.default_rng(0).integers(0, 256, (2, 30, 41, 3), dtype=np.uint8)
    expected = math.sqrt(mean_squared_error(reference[4:-4, 4:-4], image[4:-4, 4:-4]))
    assert rmse(reference, image, border=4) == pytest.approx(expected, abs=1e-9)
    assert rmse(reference, image) != pytest.approx(expected, abs=1e-3)


def test_wrong_arguments():
    image = np.zeros((8, 9), np.uint8)
    for dtype in (np.float64, np.int16):
        other: Any = image.astype(dtype)
        with pytest.raises(ValueError, match="uint8"):
            rmse(image, other)
        with pytest.raises(ValueError, match="uint8"):
            rmse(other, image)
    with pytest.raises(ValueError, match="one shape"):
        rmse(image, image[1:])
    with pytest.raises(ValueError, match="one shape"):
        rmse(image[0], image[0])
    for border in (-1, 4):
        with pytest.raises(ValueError, match="border"):
            rmse(image, image, border=border)


def test_of_a_set_is_the_root_of_the_mean_square():
    assert dataset_rmse([3.0, 4.0]) == pytest.approx(math.sqrt(12.5))
    assert dataset_rmse([7.0]) == 7
    with pytest.raises(ValueError, match="no images"):
        dataset_rmse([])
