import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sr_images.imresize import imresize

# Keys' kernel with a = -1/2 at 1/4, 3/4, 5/4 and 7/4, by hand
NEAR, MIDDLE, FAR, FARTHEST = 0.8671875, 0.2265625, -0.0703125, -0.0234375


@pytest.fixture(scope="module")
def debug_crop(shared: Path):
    path = shared / "reference" / "metrics" / "ma_debug_crop.npz"
    if not path.is_file():
        pytest.skip(f"needs the reference numbers of the metrics, {path}")
    return np.load(path)


def image(height, width, seed=0):
    return np.random.default_rng(seed).normal(100, 40, (height, width))


# --- written from MATLAB's documentation, sample by sample; positions count from 1 ---


def cubic(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x <= 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def resize_line(line, length, scale):
    squeeze = min(scale, 1)
    width = 4 / squeeze
    there_and_back = [*line, *reversed(line)]
    resized = []
    for x in range(1, length + 1):
        u = x / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(u - width / 2)
        positions = range(left, left + math.ceil(width) + 2)
        weights = [squeeze * cubic(squeeze * (u - position)) for position in positions]
        values = [there_and_back[(position - 1) % (2 * len(line))] for position in positions]
        resized.append(np.dot(weights, values) / sum(weights))
    return resized


def resize_plainly(picture, lengths, scales):
    rows = np.array([resize_line(line, lengths[1], scales[1]) for line in picture.tolist()])
    return np.array([resize_line(line, lengths[0], scales[0]) for line in rows.T.tolist()]).T


def test_enlarging_by_hand():
    line = np.zeros((1, 8))
    line[0, 3] = 1
    # samples lie a quarter of a pixel beside the old ones
    impulse = [FARTHEST, FAR, MIDDLE, NEAR, NEAR, MIDDLE, FAR, FARTHEST]
    expected = [0, 0, 0, *impulse, 0, 0, 0, 0, 0]
    assert imresize(line, shape=(1, 16))[0].tolist() == expected
    assert imresize(line.T, shape=(16, 1))[:, 0].tolist() == expected


def test_the_border_mirrors_by_hand():
    line = np.array([[1.0, 0, 0, 0, 0, 0]])
    doubled = imresize(line, shape=(1, 12))
    # the first sample sees pixels 1 and 2, mirrored and true: weights of |distance| 1/4 and 3/4
    assert doubled[0, :4].tolist() == [NEAR + MIDDLE, NEAR + FAR, MIDDLE + FARTHEST, FAR]


def test_halving_by_hand():
    line = np.zeros((1, 16))
    line[0, 7] = 256
    halved = imresize(line, shape=(1, 8))[0]
    # the kernel twice as wide and half as high; distances to the four nearest samples
    distances = {2: 5 / 4, 3: 1 / 4, 4: 3 / 4, 5: 7 / 4}
    assert halved.tolist() == [128 * cubic(distances.get(place, 2)) for place in range(8)]


def test_halving_whole_numbers_is_exact():
    picture = np.random.default_rng(1).integers(0, 256, (60, 72)).astype(np.float64)
    halved = imresize(picture, scale=0.5)
    assert np.all(halved * 2**16 == np.round(halved * 2**16))
    assert np.all(imresize(np.full((31, 20), 77.0), scale=0.5) == 77)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 17)] * 4), st.integers(0, 99))
def test_agrees_with_the_plain_version_for_shapes(sizes, seed):
    height, width, rows, columns = sizes
    picture = image(height, width, seed)
    expected = resize_plainly(picture, (rows, columns), (rows / height, columns / width))
    np.testing.assert_allclose(imresize(picture, shape=(rows, columns)), expected, atol=1e-10)


@pytest.mark.parametrize("scale", [0.25, 1 / 3, 0.5, 0.8, 1.0, 1.7, 2.0, 3.0])
def test_agrees_with_the_plain_version_for_scales(scale):
    picture = image(13, 18)
    lengths = (math.ceil(13 * scale), math.ceil(18 * scale))
    expected = resize_plainly(picture, lengths, (scale, scale))
    np.testing.assert_allclose(imresize(picture, scale=scale), expected, atol=1e-10)


@pytest.mark.parametrize("shape", [(40, 61), (97, 30), (121, 110)])
def test_agrees_with_pillow_inside(shape):
    # Pillow has the same kernel in single precision, and another border
    picture = image(80, 72)
    pillow = Image.fromarray(picture.astype(np.float32)).resize(
        (shape[1], shape[0]), Image.Resampling.BICUBIC
    )
    inside = np.s_[6:-6, 6:-6]
    resized = imresize(picture, shape=shape)[inside]
    np.testing.assert_allclose(resized, np.asarray(pillow)[inside], atol=1e-3)


def test_the_same_size_is_the_same_image():
    picture = image(9, 11)
    assert np.array_equal(imresize(picture, shape=(9, 11)), picture)
    assert np.array_equal(imresize(picture, scale=1.0), picture)


def test_reference_of_octave(debug_crop):
    resized = imresize(debug_crop["band_08"], shape=(97, 103))
    np.testing.assert_allclose(resized, debug_crop["band08_resized_to_hp"], atol=1e-10)
    doubled = imresize(debug_crop["band_08"], scale=2.0)[:97, :103]
    np.testing.assert_allclose(doubled, debug_crop["parent_up"], atol=1e-10)


def test_wrong_arguments():
    picture = image(8, 8)
    single: Any = picture.astype(np.float32)
    for wrong in (single, picture[0], picture[..., None], picture[:0]):
        with pytest.raises(ValueError, match="float64"):
            imresize(wrong, scale=0.5)
    with pytest.raises(ValueError, match="either"):
        imresize(picture)
    with pytest.raises(ValueError, match="either"):
        imresize(picture, scale=0.5, shape=(4, 4))
    for scale in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="scale"):
            imresize(picture, scale=scale)
    with pytest.raises(ValueError, match="shape"):
        imresize(picture, shape=(0, 4))
