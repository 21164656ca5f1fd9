from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from evaluation.metrics.ssim import ssim


def pair():
    rng = np.random.default_rng(1)
    smooth = ndimage.gaussian_filter(rng.normal(size=(48, 57)), 2)
    reference = np.clip(128 + 400 * smooth, 0, 255).astype(np.uint8)
    image = np.clip(reference + rng.normal(0, 9, reference.shape), 0, 255).astype(np.uint8)
    return reference, image


def test_constant_images_by_hand():
    # no variance anywhere: (2 a b + C1) / (a^2 + b^2 + C1) with C1 = (0.01 * 255)^2
    reference, image = np.full((11, 12), 100, np.uint8), np.full((11, 12), 50, np.uint8)
    expected = (2 * 100 * 50 + 6.5025) / (100**2 + 50**2 + 6.5025)
    assert ssim(reference, image, data_range=255) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("border", [0, 6])
def test_agrees_with_scikit_image(border):
    reference, image = pair()
    inner = np.s_[border : 48 - border, border : 57 - border]
    expected: Any = structural_similarity(
        reference[inner],
        image[inner],
        win_size=11,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert 0.3 < expected < 0.99
    assert ssim(reference, image, data_range=255, border=border) == pytest.approx(
        expected, abs=1e-6
    )
