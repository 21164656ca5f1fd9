import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.fidelity import psnr
from sr_images.luma import rgb_to_y

SETS = {"Set5": 5, "Set14": 14, "BSD100": 100}
EDGES = ["replicate", "mirror"]


def images(seed, height, width, channels=None):
    shape = (height, width) if channels is None else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# --- imresize, written from MATLAB's documentation in plain double arithmetic, pixel by pixel ---


def cubic(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x <= 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def imresize_column(column, scale, edge):
    """One column of grey levels; positions count from 1 as in MATLAB."""
    length, squeeze = len(column), min(scale, 1)
    width = 4 / squeeze
    resized = []
    for x in range(1, math.ceil(length * scale - 1e-9) + 1):
        u = x / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(u - width / 2)
        positions = range(left, left + math.ceil(width) + 2)
        weights = [squeeze * cubic(squeeze * (u - position)) for position in positions]
        total = sum(weights)
        value = 0.0
        for position, weight in zip(positions, weights, strict=True):
            if edge == "replicate":
                inside = min(max(position, 1), length)
            else:
                there_and_back = [*range(1, length + 1), *range(length, 0, -1)]
                inside = there_and_back[(position - 1) % (2 * length)]
            value += weight / total * float(column[inside - 1])
        resized.append(math.floor(min(max(value, 0), 255) + 0.5))
    return resized


def imresize(gray, scale, edge):
    vertical = np.array([imresize_column(column, scale, edge) for column in gray.T.tolist()]).T
    return np.array([imresize_column(row, scale, edge) for row in vertical.tolist()])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 21),
    width=st.integers(1, 21),
    scale=st.sampled_from([2, 4]),
    edge=st.sampled_from(EDGES),
)
def test_equals_imresize_in_double_arithmetic(seed, height, width, scale, edge):
    """At scales 2 and 4 double arithmetic is exact, so all pixels agree; sizes need not divide."""
    gray = images(seed, height, width)
    np.testing.assert_array_equal(
        bicubic_downscale(gray, scale, edge), imresize(gray, 1 / scale, edge)
    )
    gray = gray[:7, :7]
    np.testing.assert_array_equal(bicubic_upscale(gray, scale, edge), imresize(gray, scale, edge))


@pytest.mark.parametrize("edge", EDGES)
def test_scale_3_equals_imresize_up_to_halves(edge):
    """Here double arithmetic rounds some true halves down."""
    gray = images(3, 60, 63)
    for actual, expected in (
        (bicubic_downscale(gray, 3, edge), imresize(gray, 1 / 3, edge)),
        (bicubic_upscale(gray[:15, :12], 3, edge), imresize(gray[:15, :12], 3, edge)),
    ):
        assert actual.shape == expected.shape
        difference = np.abs(actual - expected)
        assert difference.max() <= 1
        assert np.mean(difference > 0) < 0.02


def test_a_large_scale():
    gray = images(8, 40, 48)
    np.testing.assert_array_equal(bicubic_downscale(gray, 8), imresize(gray, 1 / 8, "replicate"))


@pytest.mark.parametrize("name", SETS)
def test_reproduces_the_benchmarks(shared, name):
    """LR files made with MATLAB for the paper of SelfExSR."""
    files = sorted((shared / "data" / "benchmarks" / name / "HR").iterdir())
    assert len(files) == SETS[name]
    for hr_file in files:
        hr = np.array(Image.open(hr_file))
        lr = np.array(Image.open(hr_file.parents[1] / "LR_x4" / hr_file.name))
        np.testing.assert_array_equal(bicubic_downscale(hr), lr, err_msg=hr_file.name)
        # current MATLAB: the same but for the outermost 2 pixels
        mirrored = bicubic_downscale(hr, edge="mirror")
        np.testing.assert_array_equal(mirrored[2:-2, 2:-2], lr[2:-2, 2:-2])
        assert np.any(mirrored != lr)


@pytest.mark.parametrize(
    ("name", "decibels"), [("Set5", 28.42), ("Set14", 25.99), ("BSD100", 25.96)]
)
def test_bicubic_upscaling_scores_as_published(shared, name, decibels):
    """PSNR of bicubic x4 on Y, border 4, that SelfExSR (Huang et al., CVPR 2015) publishes."""
    scores = []
    for hr_file in sorted((shared / "data" / "benchmarks" / name / "HR").iterdir()):
        hr = np.array(Image.open(hr_file))
        lr = np.array(Image.open(hr_file.parents[1] / "LR_x4" / hr_file.name))
        y, bicubic_y = rgb_to_y(hr), rgb_to_y(bicubic_upscale(lr))
        scores.append(psnr(y, bicubic_y, data_range=255, border=4))
    assert np.mean(scores) == pytest.approx(decibels, abs=0.005)


@settings(deadline=None)
@given(
    level=st.integers(0, 255),
    height=st.integers(1, 70),
    width=st.integers(1, 20),
    scale=st.sampled_from([1, 2, 3, 4, 5, 8]),
    edge=st.sampled_from(EDGES),
)
def test_a_constant_image_stays_constant(level, height, width, scale, edge):
    image = np.full((height, width), level, np.uint8)
    small, large = bicubic_downscale(image, scale, edge), bicubic_upscale(image, scale, edge)
    assert small.shape == (math.ceil(height / scale), math.ceil(width / scale))
    assert large.shape == (height * scale, width * scale)
    assert small.dtype == large.dtype == np.uint8
    assert np.all(small == level) and np.all(large == level)


@pytest.mark.parametrize("resize", [bicubic_downscale, bicubic_upscale])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_channels_do_not_touch(resize, channels):
    image = images(1, 36, 29, channels)
    result = resize(image)
    assert result.shape[2] == channels
    for channel in range(channels):
        np.testing.assert_array_equal(result[..., channel], resize(image[..., channel]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_shifting_hr_by_4_shifts_lr_by_1(seed, down, right):
    hr = images(seed, 100, 96)
    shifted = bicubic_downscale(np.ascontiguousarray(hr[4 * down :, 4 * right :]))
    lr = bicubic_downscale(hr)
    np.testing.assert_array_equal(shifted[2:, 2:], lr[down + 2 :, right + 2 :])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(EDGES))
def test_mirroring_the_image_mirrors_the_result(seed, edge):
    image = images(seed, 32, 24, 3)
    for resize in (bicubic_downscale, bicubic_upscale):
        result = resize(image, 4, edge)
        np.testing.assert_array_equal(resize(image[::-1, ::-1], 4, edge), result[::-1, ::-1])


def test_vertical_pass_comes_first():
    """Rounding in between makes the order visible: transposing does not commute on all images."""
    gray = images(0, 64, 64)
    assert np.any(bicubic_downscale(gray.T) != bicubic_downscale(gray).T)


def test_the_argument_is_left_alone():
    image = images(2, 16, 16, 3)
    image.setflags(write=False)
    bicubic_downscale(image)
    bicubic_upscale(image)


def test_scale_1_changes_nothing():
    image = images(5, 9, 7, 3)
    np.testing.assert_array_equal(bicubic_downscale(image, 1), image)
    np.testing.assert_array_equal(bicubic_upscale(image, 1), image)


@pytest.mark.parametrize("resize", [bicubic_downscale, bicubic_upscale])
def test_wrong_arguments(resize):
    for image in (
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8), np.int64),
        np.zeros(8, np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((0, 8), np.uint8),
    ):
        with pytest.raises(ValueError, match="uint8 image"):
            resize(image)
    image = np.zeros((8, 8), np.uint8)
    for scale in (0, -2, 1.5, True):
        with pytest.raises(ValueError, match="scale must be"):
            resize(image, scale)
    with pytest.raises(ValueError, match="edge must be"):
        resize(image, 4, "reflect")
