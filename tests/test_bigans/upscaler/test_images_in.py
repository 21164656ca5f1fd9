"""What the upscaler takes beside NumPy's arrays: Pillow's images, tensors, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from sr_images.picture import Picture
from tests.test_bigans.upscaler.numpy_model import upscaler


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, shape, np.uint8)


def of(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(upscaler()(pixels, xi=0.4))


def test_rgb_of_pillow() -> None:
    pixels = noise(5, 6, 3)
    result = upscaler()(Image.fromarray(pixels), xi=0.4)
    assert (result.mode, result.size) == ("RGB", (24, 20))
    np.testing.assert_array_equal(np.asarray(result), of(pixels))


def test_gray_of_pillow_stays_gray() -> None:
    pixels = noise(5, 6)
    result = upscaler()(Image.fromarray(pixels), xi=0.4)
    assert result.mode == "L"
    np.testing.assert_array_equal(np.asarray(result), of(pixels))


def test_16_bit_gray_of_pillow_stays_deep() -> None:
    pixels = noise(5, 6).astype(np.uint16) * np.uint16(257) + np.uint16(3)
    result = upscaler()(Image.fromarray(pixels.clip(0, 65535)), xi=0)
    assert result.mode == "I;16"
    np.testing.assert_array_equal(np.asarray(result)[::4, ::4], pixels)


@pytest.mark.parametrize("mode", ["P", "CMYK", "YCbCr", "1", "LA", "PA", "RGBX"])
def test_other_modes_of_pillow(mode: str) -> None:
    image = Image.fromarray(noise(5, 6, 3)).convert("L" if mode in ("1", "LA", "PA") else "RGB")
    image = image.convert(mode)
    result = upscaler()(image, xi=0)
    # The faithful image of the toy is every pixel repeated, so Pillow's own conversion is there.
    expected = np.asarray(image.convert("RGB")).astype(int)
    found = np.asarray(result.convert("RGB")).astype(int)[::4, ::4]
    assert result.size == (24, 20)
    # inks: Pillow multiplies, and colour management is not asked for
    assert np.abs(found - expected).max() <= (2 if mode == "CMYK" else 0)


def test_transparency_of_pillow_is_kept() -> None:
    pixels = noise(6, 6, 4)
    result = upscaler()(Image.fromarray(pixels), xi=0)
    assert result.mode == "RGBA"
    assert result.getchannel("A").size == (24, 24)
    constant = pixels.copy()
    constant[..., 3] = 128
    result = upscaler()(Image.fromarray(constant), xi=0)
    assert result.getchannel("A").getextrema() == (128, 128)


def test_a_pillow_image_is_turned_upright_and_keeps_its_profile() -> None:
    pixels = noise(4, 6, 3)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = 6  # to be turned by 90 degrees clockwise
    image.info["icc_profile"] = b"a profile"
    result = upscaler()(image, xi=0)
    assert result.size == (16, 24)
    np.testing.assert_array_equal(np.asarray(result)[::4, ::4], np.rot90(pixels, -1))
    assert result.info["icc_profile"] == b"a profile"
    assert result.getexif().get(0x0112, 1) == 1


def test_a_pillow_image_of_floats_is_refused() -> None:
    image = Image.fromarray(np.zeros((4, 4), np.float32))
    with pytest.raises(ValueError, match=r"mode F .*convert it"):
        upscaler()(image)


def test_pillow_with_a_bound() -> None:
    pixels = noise(5, 6, 3)
    faithful = np.asarray(upscaler()(pixels, xi=0)).astype(int)
    result = upscaler()(Image.fromarray(pixels), max_deviation=2)
    assert np.abs(np.asarray(result).astype(int) - faithful).max() == 2


def test_the_other_methods_take_pillow() -> None:
    image = Image.fromarray(noise(5, 6, 3))
    taken = upscaler()
    assert taken.fits(image)
    assert taken.result_size(image) == (20, 24)
    assert isinstance(taken.enlarge(image), Picture)


class Tensor:
    """As tensors of TensorFlow, PyTorch and JAX: NumPy can read it, and it has no other kinship."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._values

    shape = property(lambda self: self._values.shape)
    dtype = property(lambda self: f"its own name of {self._values.dtype}")


@pytest.mark.parametrize("shape", [(5, 6, 3), (5, 6), (2, 5, 6, 3), (2, 5, 6, 1)])
def test_what_numpy_reads(shape: tuple[int, ...]) -> None:
    pixels = noise(*shape)
    result = upscaler()(Tensor(pixels), xi=0.4)
    assert isinstance(result, np.ndarray)
    np.testing.assert_array_equal(result, of(pixels))


def test_a_tensor_of_tensorflow() -> None:
    import tensorflow as tf

    pixels = noise(5, 6, 3)
    np.testing.assert_array_equal(upscaler()(tf.constant(pixels), xi=0.4), of(pixels))
    np.testing.assert_array_equal(
        upscaler().sweep(tf.constant(pixels), [0.4])[0],
        of(pixels),
    )

    @tf.function
    def traced(image: Any) -> Any:
        return upscaler()(image)

    with pytest.raises(ValueError, match=r"outside of tf\.function"):
        traced(tf.constant(pixels))


@pytest.mark.parametrize("image", [[[1, 2], [3, 4]], "photo.jpg", None, np.zeros((4, 4))])
def test_what_is_no_image_is_refused(image: Any) -> None:
    with pytest.raises(ValueError, match="uint8, uint16 or float32"):
        upscaler()(image)
