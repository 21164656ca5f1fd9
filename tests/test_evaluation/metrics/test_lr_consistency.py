import math
from typing import Any

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from evaluation.metrics.lr_consistency import lr_consistency
from sr_images.bicubic import bicubic_downscale


def result(seed=0, shape=(32, 48, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_constant_images_by_hand():
    # a constant stays what it is when it is made small: the difference is 10 everywhere
    lr, sr = np.full((5, 7, 3), 100, np.uint8), np.full((20, 28, 3), 110, np.uint8)
    assert lr_consistency(lr, sr) == pytest.approx(20 * math.log10(25.5), abs=1e-9)


def test_all_channels_count():
    lr, sr = np.zeros((4, 4, 3), np.uint8), np.zeros((16, 16, 3), np.uint8)
    sr[..., 2] = 30  # MSE 900 in one of three channels
    assert lr_consistency(lr, sr) == pytest.approx(10 * math.log10(255**2 / 300), abs=1e-9)


@pytest.mark.parametrize("edge", ["replicate", "mirror"])
def test_an_image_is_consistent_with_what_was_made_of_it(edge):
    sr = result()
    lr = bicubic_downscale(sr, 4, edge)
    assert lr_consistency(lr, sr, edge=edge) == math.inf
    lr[2, 3, 1] ^= 16
    expected = peak_signal_noise_ratio(lr, bicubic_downscale(sr, 4, edge), data_range=255)
    assert lr_consistency(lr, sr, edge=edge) == pytest.approx(expected, abs=1e-9)


def test_the_edge_matters():
    sr = result(1)
    assert lr_consistency(bicubic_downscale(sr, 4, "mirror"), sr) < 60


def test_gray():
    sr = result(2, (16, 24))
    assert lr_consistency(bicubic_downscale(sr, 4), sr) == math.inf


@pytest.mark.parametrize("shape", [(32, 44, 3), (31, 48, 3), (32, 48), (32, 48, 4)])
def test_a_result_that_is_not_four_times_its_input(shape):
    with pytest.raises(ValueError, match="4 times"):
        lr_consistency(result(shape=(8, 12, 3)), result(shape=shape))


def test_not_8_bit():
    lr: Any = np.zeros((4, 4))
    sr: Any = np.zeros((16, 16))
    with pytest.raises(ValueError, match="uint8"):
        lr_consistency(lr, sr)
