import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from sr_images.fidelity import psnr, ssim


def pair(seed=0, height=40, width=33, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(height) * 3.0, np.arange(width) * 2.0)
    reference = ramp + rng.normal(0, 20, (height, width))
    image = reference + rng.normal(0, 8, (height, width))
    if dtype == np.uint8:
        return tuple(np.clip(array, 0, 255).astype(np.uint8) for array in (reference, image))
    return tuple((array / 255).astype(dtype) for array in (reference, image))


def wang_ssim(reference, image, data_range):
    return structural_similarity(
        reference,
        image,
        win_size=11,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=data_range,
    )


def test_psnr_by_hand():
    reference = np.array([[0, 0], [0, 0]], np.uint8)
    image = np.array([[0, 0], [0, 10]], np.uint8)  # MSE 25
    assert psnr(reference, image, data_range=255) == pytest.approx(10 * math.log10(255**2 / 25))
    # unsigned differences must not wrap around
    assert psnr(image, reference, data_range=255) == psnr(reference, image, data_range=255)


def test_identical_images():
    reference, _ = pair()
    assert psnr(reference, reference, data_range=255) == math.inf
    assert ssim(reference, reference, data_range=255) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("dtype", "data_range"), [(np.uint8, 255), (np.float32, 1.0)])
def test_agrees_with_scikit_image(dtype, data_range):
    reference, image = pair(dtype=dtype)
    expected = peak_signal_noise_ratio(
        reference.astype(float), image.astype(float), data_range=data_range
    )
    assert psnr(reference, image, data_range=data_range) == pytest.approx(expected, abs=1e-9)
    expected = wang_ssim(reference.astype(float), image.astype(float), data_range)
    assert ssim(reference, image, data_range=data_range) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(11, 30), st.integers(11, 30))
def test_ssim_agrees_with_scikit_image_at_all_sizes(seed, height, width):
    rng = np.random.default_rng(seed)
    reference, image = rng.integers(0, 256, (2, height, width), dtype=np.uint8)
    expected = wang_ssim(reference, image, 255)
    assert ssim(reference, image, data_range=255) == pytest.approx(expected, abs=1e-6)


def test_border_is_the_same_as_cropping():
    reference, image = pair()
    inner = np.s_[6:-6, 6:-6]
    for metric in (psnr, ssim):
        cropped = metric(reference[inner], image[inner], data_range=255)
        assert metric(reference, image, data_range=255, border=6) == cropped
        assert metric(reference, image, data_range=255) != cropped


def test_psnr_of_colour_is_over_all_channels():
    reference = np.zeros((1, 1, 3), np.uint8)
    image = np.array([[[0, 0, 3]]], np.uint8)  # MSE 3
    assert psnr(reference, image, data_range=255) == pytest.approx(10 * math.log10(255**2 / 3))


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_wrong_arguments(metric):
    reference, image = pair()
    with pytest.raises(ValueError, match="differ in kind"):
        metric(reference, image[:-1], data_range=255)
    with pytest.raises(ValueError, match="differ in kind"):
        metric(reference, image.astype(np.float32), data_range=255)
    with pytest.raises(ValueError, match="too small"):
        metric(reference, image, data_range=255, border=17)
    with pytest.raises(ValueError, match="data_range"):
        metric(reference, image, data_range=0)
    with pytest.raises(ValueError, match="border"):
        metric(reference, image, data_range=255, border=-1)


def test_ssim_needs_a_whole_window_of_one_channel():
    with pytest.raises(ValueError, match="too small"):
        ssim(np.zeros((10, 40)), np.zeros((10, 40)), data_range=255)
    with pytest.raises(ValueError, match="single-channel"):
        ssim(np.zeros((20, 20, 3)), np.zeros((20, 20, 3)), data_range=255)
