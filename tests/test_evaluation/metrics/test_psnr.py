import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from evaluation.metrics.psnr import psnr


def test_by_hand():
    reference = np.array([[100, 100], [100, 100]], np.uint8)
    image = np.array([[100, 104], [100, 97]], np.uint8)  # squared differences 16 and 9: MSE 25/4
    expected = 10 * math.log10(255 * 255 / 6.25)
    assert psnr(reference, image, data_range=255) == pytest.approx(expected, abs=1e-12)


def test_agrees_with_scikit_image():
    reference, image = np.random.default_rng(0).integers(0, 256, (2, 31, 44), dtype=np.uint8)
    inner = np.s_[6:-6, 6:-6]
    expected = peak_signal_noise_ratio(reference[inner], image[inner], data_range=255)
    assert psnr(reference, image, data_range=255, border=6) == pytest.approx(expected, abs=1e-9)
