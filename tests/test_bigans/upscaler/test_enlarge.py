"""Pictures of every depth, gray, transparent, to any size; as a whole and in tiles."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigans import Enlarging
from sr_images.encoding import Encoding
from sr_images.imresize import imresize
from sr_images.picture import WHITE, Attributes, Picture
from sr_images.pictures_in import read_picture
from sr_program.errors import DataError
from tests.test_bigans.upscaler.numpy_model import NumpyModel, upscaler

WHOLE, TILED = upscaler(), upscaler(side=56)
DEPTHS = [np.uint8, np.uint16, np.float32]


def noise(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    return (np.random.default_rng(0).uniform(0, WHITE[np.dtype(dtype).name], shape)).astype(dtype)


def in_levels(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float64) * (255 / WHITE[pixels.dtype.name])


def merged(pixels: np.ndarray, **numbers: Any) -> np.ndarray:
    """What the model makes of it before any rounding, float64 [4H, 4W, 3] grey levels."""
    levels = np.broadcast_to(in_levels(pixels).astype(np.float32), (*pixels.shape[:2], 3))
    numbers = {"xi": 0.73, **numbers}
    return (
        NumpyModel().fuse_unrounded(*NumpyModel().generators(levels), **numbers).astype(np.float64)
    )


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("shape", [(50, 90, 3), (50, 90, 1), (50, 90), (2, 50, 90, 3)])
def test_arrays_keep_their_dtype_and_axes(shape: Any, dtype: Any) -> None:
    image = noise(*shape, dtype=dtype)
    result = WHOLE(image, xi=0.4)
    assert result.dtype == dtype and result.ndim == image.ndim
    np.testing.assert_array_equal(TILED(image, xi=0.4), result)
    one, large = (x[0] if x.ndim == 4 else np.atleast_3d(x) for x in (image, result))
    expected = merged(one, xi=0.4)
    if one.shape[2] == 1:
        expected = (expected @ [0.299, 0.587, 0.114])[..., np.newaxis]
    assert large.shape == expected.shape
    step = 0 if dtype == np.float32 else 255 / WHITE[np.dtype(dtype).name]
    np.testing.assert_allclose(in_levels(large), expected, rtol=0, atol=0.5001 * step + 1e-4)


def test_8_bit_rgb_goes_through_the_graph_of_the_model() -> None:
    toy = upscaler()
    toy(noise(5, 6, 3))
    toy.enlarge(Picture(noise(5, 6, 3)))
    opaque = np.full((5, 6), 255, np.uint8)
    enlarged = toy.enlarge(Picture(noise(5, 6, 3), opaque))
    assert toy.model.served == [np.uint8] * 3  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_array_equal(enlarged.pixels, toy(noise(5, 6, 3)))
    assert enlarged.alpha is None


def test_a_16_bit_ramp_keeps_its_levels() -> None:
    ramp = np.linspace(20000, 28000, 80 * 64).astype(np.uint16).reshape(80, 64, 1)
    for toy in (WHOLE, TILED):
        result = toy.enlarge(Picture(ramp), Enlarging(scale=3)).pixels
        assert result.dtype == np.uint16 and len(np.unique(result)) > 4000


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_max_deviation_holds_between_whole_levels(dtype: Any) -> None:
    image = noise(40, 90, 3, dtype=dtype)
    faithful = in_levels(image).repeat(4, axis=0).repeat(4, axis=1)
    for bound, toy in itertools.product((0, 0.3, 2.5), (WHOLE, TILED)):
        departure = np.abs(in_levels(toy(image, max_deviation=bound)) - faithful).max()
        assert bound - 1 / 257 <= departure <= bound + 1 / 257 + 1e-4


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(DEPTHS),
    st.sampled_from([1, 3]),
    st.floats(0, 60, width=32),
)
def test_no_value_departs_by_more_than_max_deviation(
    seed: int, dtype: Any, channels: int, bound: float
) -> None:
    """From the faithful image: exactly in 8 bits, to the last step of the others."""
    random = np.random.default_rng(seed)
    white = WHITE[np.dtype(dtype).name]
    image = random.uniform(0, white, (5, 7, channels)).astype(dtype)
    faithful = in_levels(WHOLE(image, xi=0))
    departure = np.abs(in_levels(WHOLE(image, max_deviation=bound)) - faithful).max()
    slack = {np.uint8: 0, np.uint16: 1 / 257, np.float32: 1e-4}[dtype]
    assert departure <= bound + slack + 1e-9


@pytest.mark.parametrize("toy", [WHOLE, TILED])
@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ({"scale": 1}, (45, 86)),
        ({"scale": 1.5}, (68, 129)),
        ({"scale": 2}, (90, 172)),
        ({"scale": 3}, (135, 258)),
        ({"size": (100, 171)}, (171, 100)),
    ],
)
@pytest.mark.parametrize("dtype", DEPTHS)
def test_other_sizes_are_reduced_by_imresize(toy: Any, asked: Any, shape: Any, dtype: Any) -> None:
    image = noise(45, 86, 3, dtype=dtype)
    result = toy.enlarge(Picture(image), Enlarging(**asked)).pixels
    assert result.shape[:2] == shape
    how = {"scale": asked["scale"] / 4} if "scale" in asked else {"shape": shape}
    channels = [imresize(channel, **how) for channel in np.moveaxis(merged(image), 2, 0)]
    expected = np.clip(np.stack(channels, axis=-1), 0, 255)
    step = 0 if dtype == np.float32 else 255 / WHITE[np.dtype(dtype).name]
    np.testing.assert_allclose(in_levels(result), expected, rtol=0, atol=0.5001 * step + 1e-4)


@pytest.mark.parametrize("toy", [WHOLE, upscaler(side=50)])
def test_twice_through_the_generators(toy: Any) -> None:
    image = noise(40, 36, 3)
    once = merged(image).astype(np.float32)
    twice = NumpyModel().fuse_unrounded(*NumpyModel().generators(once), xi=0.73)
    result = toy.enlarge(Picture(image), Enlarging(scale=16)).pixels
    assert np.abs(result.astype(float) - twice).max() <= 0.5001
    half = toy.enlarge(Picture(image), Enlarging(scale=8)).pixels
    expected = np.stack(
        [imresize(c.astype(float), scale=0.5) for c in np.moveaxis(twice, 2, 0)], -1
    )
    np.testing.assert_allclose(half, np.clip(expected, 0, 255), rtol=0, atol=0.5001)
    assert np.unique(toy.enlarge(Picture(image[..., :1]), Enlarging(scale=5)).pixels).size > 50


@pytest.mark.parametrize("toy", [WHOLE, TILED])
def test_hidden_colours_never_bleed(toy: Any) -> None:
    """A white disc on hidden black, as in front of any backdrop."""
    rows, columns = np.mgrid[:64, :64]
    inside = np.hypot(rows - 31.5, columns - 31.5) < 20
    pixels = np.where(inside[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2)
    alpha = np.where(inside, 255, 0).astype(np.uint8)
    for scale in (4, 2):
        result = toy.enlarge(Picture(pixels, alpha), Enlarging(scale=scale, xi=0))
        assert result.alpha is not None and result.alpha.dtype == np.uint8
        assert result.pixels[result.alpha > 0].min() >= 250
        rows, columns = np.mgrid[: 64 * scale, : 64 * scale]
        radius = np.hypot(rows - 32 * scale + 0.5, columns - 32 * scale + 0.5) / scale
        assert np.all(result.alpha[radius > 23] == 0) and np.all(result.alpha[radius < 17] == 255)
        assert abs(result.alpha.mean() - alpha.mean()) < 0.5


def test_attributes_stay() -> None:
    attributes = Attributes(icc=b"profile", dpi=(72, 72), duration_ms=40)
    assert WHOLE.enlarge(Picture(noise(4, 5, 3), None, attributes)).attributes == attributes


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_files_hold_the_same(tmp_path: Path, name: str, channels: int, dtype: Any) -> None:
    picture = Picture(noise(50, 70, channels, dtype=dtype), noise(50, 70, dtype=dtype))
    expected = WHOLE.enlarge(picture, Enlarging(scale=3))
    for toy in (WHOLE, TILED):
        toy.to_file(picture, tmp_path / name, enlarging=Enlarging(scale=3))
        found = read_picture(tmp_path / name)
        np.testing.assert_array_equal(found.pixels, expected.pixels)
        np.testing.assert_array_equal(found.alpha, expected.alpha)
        assert [path.name for path in tmp_path.iterdir()] == [name]


def test_16_bits_are_rounded_once_to_8(tmp_path: Path) -> None:
    image = noise(50, 70, 3, dtype=np.uint16)
    for toy in (WHOLE, TILED):
        toy.to_file(image, tmp_path / "a.webp", encoding=Encoding())
        found = read_picture(tmp_path / "a.webp").pixels
        assert found.dtype == np.uint8
        expected = np.floor(merged(image) + 0.5)
        assert np.abs(found - expected).max() <= 1 and np.mean(found != expected) < 1e-3


def test_a_model_of_8_bits_says_so() -> None:
    toy = upscaler(takes_levels=False)
    toy.enlarge(Picture(noise(4, 5, 1)))  # gray is no matter
    for image, scale in ((noise(4, 5, 3, dtype=np.uint16), 4), (noise(4, 5, 3), 8)):
        with pytest.raises(DataError, match="takes photos of 8 bits a channel only"):
            toy.enlarge(Picture(image), Enlarging(scale=scale))
