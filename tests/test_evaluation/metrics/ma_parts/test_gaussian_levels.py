import math

import numpy as np
from scipy import signal

from evaluation.metrics.ma_parts.gaussian_levels import gaussian_levels


def test_one_bright_pixel_by_hand():
    luma = np.zeros((6, 4), np.uint8)
    luma[2, 1] = 255
    near = math.exp(-2) / (1 + 2 * math.exp(-2))  # one pixel away, sigma 1/2
    centre = 1 - 2 * near
    first, second, third = gaussian_levels(luma)
    assert first.tolist() == (luma / 255).tolist()
    # rows 1, 3, 5 and columns 1, 3 are kept: the bright pixel is beside two of them
    expected = [[centre * near, 0], [centre * near, 0], [0, 0]]
    np.testing.assert_allclose(second, expected, atol=1e-15)
    # row 1 and column 1 of that: a corner and a neighbour of the two values
    np.testing.assert_allclose(third, [[centre * near * near * (near + centre)]], atol=1e-15)


def test_agrees_with_scipys_convolution():
    luma = np.random.default_rng(0).integers(0, 256, (33, 46), dtype=np.uint8)
    axis = np.exp([-2.0, 0, -2])
    window = np.outer(axis, axis) / axis.sum() ** 2
    image = luma / 255
    for level in gaussian_levels(luma):
        np.testing.assert_allclose(level, image, rtol=0, atol=1e-14)
        image = signal.convolve2d(image, window, mode="same")[1::2, 1::2]


def test_black_lies_outside():
    _, second, _ = gaussian_levels(np.full((4, 5), 255, np.uint8))
    near = math.exp(-2) / (1 + 2 * math.exp(-2))
    # the kept rows 1 and 3: row 3 is the last, so that a third of the window is outside
    np.testing.assert_allclose(second, [[1, 1], [1 - near, 1 - near]], atol=1e-15)
