"""Against the definition written out on the whole frequency plane, and against known properties."""

import math
from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics.ma_parts.steerable_pyramid import steerable_pyramid


@pytest.fixture(scope="module")
def debug_crop(shared: Path):
    path = shared / "reference" / "metrics" / "ma_debug_crop.npz"
    if not path.is_file():
        pytest.skip(f"needs the reference numbers of the metrics, {path}")
    return np.load(path)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (height, width))


def all_bands(pyramid):
    return [pyramid.highpass, *pyramid.fine, *pyramid.coarse, pyramid.lowpass]


# --- the definition, with the frequency 0 in the middle and full complex transforms ---


def plain_pyramid(image):
    grids = [(np.arange(1, n + 1) - centre(n)) / (n / 2) for n in image.shape]
    y, x = np.meshgrid(*grids, indexing="ij")
    angle = np.arctan2(y, x)
    radius = np.hypot(x, y)
    middle = tuple(centre(n) - 1 for n in image.shape)
    radius[middle] = radius[middle[0], middle[1] - 1]
    octaves = np.log2(radius)
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    highpass = back(spectrum * radial(octaves, 0)[0])
    spectrum = spectrum * radial(octaves, 0)[1]
    bands = []
    for scale in (1, 2):
        rise, fall = radial(octaves, scale)
        for orientation in range(6):
            bands.append(back(spectrum * (-1j) ** 5 * lobe(angle, orientation) * rise))
        smaller = [math.ceil((n - 0.5) / 2) for n in octaves.shape]
        starts = [centre(n) - centre(m) for n, m in zip(octaves.shape, smaller, strict=True)]
        kept = tuple(slice(s, s + m) for s, m in zip(starts, smaller, strict=True))
        spectrum, octaves, angle = (spectrum * fall)[kept], octaves[kept], angle[kept]
    return [highpass, *bands, back(spectrum)]


def centre(length):
    return math.ceil((length + 0.5) / 2)


def back(spectrum):
    return np.fft.ifft2(np.fft.ifftshift(spectrum)).real


def radial(octaves, scale):
    positions = np.arange(-257, 2) / 256
    table = np.sqrt(np.cos(positions * np.pi / 2) ** 2)
    table[0], table[-1] = table[1], table[-2]
    rise = np.interp(octaves, positions - scale, table)
    fall = np.interp(octaves, positions - scale, np.sqrt(1 - table**2))
    return rise, fall


def lobe(angle, orientation):
    angles = np.pi * np.arange(-2049, 1026) / 1024
    factor = math.sqrt(2**10 * math.factorial(5) ** 2 / (6 * math.factorial(10)))
    return np.interp(angle, angles + np.pi * orientation / 6, factor * np.cos(angles) ** 5)


@pytest.mark.parametrize("size", [(48, 64), (49, 51), (46, 53), (61, 50), (16, 16), (90, 45)])
def test_agrees_with_the_definition(size):
    image = noise(*size)
    actual, expected = all_bands(steerable_pyramid(image)), plain_pyramid(image)
    assert [band.shape for band in actual] == [band.shape for band in expected]
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def test_agrees_with_the_official_code(debug_crop):
    bands = all_bands(steerable_pyramid(debug_crop["crop"].astype(np.float64)))
    assert len(bands) == 14
    for number, band in enumerate(bands, start=1):
        np.testing.assert_allclose(
            band, debug_crop[f"band_{number:02d}"], rtol=0, atol=2e-11, err_msg=str(number)
        )


# --- properties that the transform has by theory ---


def energy(pyramid):
    """Parseval: the sum of the squared masks over all frequencies, weighted by the spectrum."""
    return sum(band.size * np.sum(band**2) for band in all_bands(pyramid))


def test_the_masks_share_out_all_energy():
    image = noise(96, 81)
    expected = image.size * np.sum(image**2)
    # the mean is most of the energy: without it
    varying = image - image.mean()
    assert energy(steerable_pyramid(image)) == pytest.approx(expected, rel=1e-5)
    expected = varying.size * np.sum(varying**2)
    assert energy(steerable_pyramid(varying)) == pytest.approx(expected, rel=1e-5)


def grating(period, degrees, size=120):
    y, x = np.mgrid[:size, :size]
    direction = math.radians(degrees)
    return 100 * np.cos(2 * np.pi / period * (x * math.cos(direction) + y * math.sin(direction)))


@pytest.mark.parametrize(("period", "own"), [(4, "fine"), (8, "coarse")])
def test_a_grating_is_found_by_direction(period, own):
    # at half (a quarter) of the highest frequency the ring's mask is 1, and its amplitude grows
    # by the fourfold reduction
    pyramid = steerable_pyramid(grating(period, 0))
    factor = math.sqrt(2**10 * math.factorial(5) ** 2 / (6 * math.factorial(10)))
    gain = {"fine": 1, "coarse": 4}[own]
    for orientation, band in enumerate(getattr(pyramid, own)):
        share = factor * abs(math.cos(math.pi * orientation / 6)) ** 5
        rms = math.sqrt(np.mean(band**2))
        assert rms == pytest.approx(gain * 100 * share / math.sqrt(2), rel=1e-4, abs=1e-9)
    for name in {"fine", "coarse"} - {own}:
        assert max(np.abs(band).max() for band in getattr(pyramid, name)) < 1e-9
    assert np.abs(pyramid.highpass).max() < 1e-9
    assert np.abs(pyramid.lowpass).max() < 1e-9


def test_a_vertical_grating_is_orientation_four():
    pyramid = steerable_pyramid(grating(4, 90))
    strengths = [np.std(band) for band in pyramid.fine]
    assert int(np.argmax(strengths)) == 3
    assert strengths[0] < 1e-9


def test_a_flat_image_is_all_low_frequency():
    pyramid = steerable_pyramid(np.full((48, 48), 100.0))
    np.testing.assert_allclose(pyramid.lowpass, 1600, rtol=1e-12)  # twice fourfold
    for band in all_bands(pyramid)[:-1]:
        np.testing.assert_allclose(band, 0, atol=1e-11)
