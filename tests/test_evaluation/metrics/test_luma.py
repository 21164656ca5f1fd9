import numpy as np
import pytest

import sr_images.luma
from evaluation.metrics.luma import rgb_to_y


def test_it_is_the_luma_of_the_data_pipeline():
    assert rgb_to_y is sr_images.luma.rgb_to_y


@pytest.mark.parametrize(
    ("rgb", "y"),
    # 16 + (65.481 R + 128.553 G + 24.966 B) / 255 by hand: the corners of the cube
    [
        ((0, 0, 0), 16),
        ((255, 255, 255), 235),
        ((255, 0, 0), 81),
        ((0, 255, 0), 145),
        ((0, 0, 255), 41),
    ],
)
def test_by_hand(rgb, y):
    assert rgb_to_y(np.array([[rgb]], np.uint8)).tolist() == [[y]]
