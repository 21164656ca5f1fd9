"""`Upscaler.sweep`: what calls give, and one run of the generators."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bigans import Tiling, Upscaler
from bigans.models.memory import TENSORFLOW
from bigans.models.remembered import Remembered
from sr_program.errors import DataError
from tests.test_bigans.upscaler.numpy_model import NumpyModel

XIS = [0.0, 0.3, 0.73, 1.0]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        noise(5, 7, 3),
        noise(5, 7),
        noise(5, 7, 1),
        noise(3, 5, 7, 3),
        noise(5, 7, 3).astype(np.uint16) * np.uint16(257),
        noise(5, 7, 3).astype(np.float32) / np.float32(255),
    ],
    ids=["rgb", "gray", "gray with an axis", "batch", "16 bits", "floats"],
)
def test_a_sweep_gives_what_calls_give_and_runs_the_generators_once(image: np.ndarray) -> None:
    model = NumpyModel()
    upscaler = Upscaler.of_model(model)
    swept = upscaler.sweep(image, XIS)
    assert len(model.served) == (len(image) if image.ndim == 4 else 1)
    assert len(swept) == len(XIS)
    for xi, result in zip(XIS, swept, strict=True):
        expected = upscaler(image, xi=xi)
        assert result.dtype == image.dtype
        np.testing.assert_array_equal(result, expected)


def test_a_sweep_in_tiles(tmp_path: Path) -> None:
    model = NumpyModel()
    memory = TENSORFLOW.program_bytes + 40.5**2 * TENSORFLOW.bytes_per_lr_pixel
    tiling = Tiling(memory / 1e6, overlap=0, scratch_dir=tmp_path)
    upscaler, image = Upscaler.of_model(model, tiling=tiling), noise(70, 90, 3)
    num_tiles = len(upscaler.plan(image).tiles)
    assert num_tiles > 3
    swept = upscaler.sweep(image, XIS)
    assert len(model.served) == num_tiles
    whole = Upscaler.of_model(NumpyModel(), tiling=Tiling(float("inf")))
    for xi, result in zip(XIS, swept, strict=True):
        np.testing.assert_array_equal(result, whole(image, xi=xi))
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_of_a_pillow_image() -> None:
    model = NumpyModel()
    pixels = noise(6, 8, 3)
    swept = Upscaler.of_model(model).sweep(Image.fromarray(pixels), iter(XIS))
    assert len(model.served) == 1
    arrays = Upscaler.of_model(NumpyModel()).sweep(pixels, XIS)
    for image, array in zip(swept, arrays, strict=True):
        np.testing.assert_array_equal(np.asarray(image), array)


@pytest.mark.parametrize("xi", [-0.1, 1.5, float("nan")])
def test_a_bad_xi_is_told_before_anything_runs(xi: float) -> None:
    model = NumpyModel()
    with pytest.raises(ValueError, match="xi must lie in"):
        Upscaler.of_model(model).sweep(noise(4, 4, 3), [0.5, xi])
    assert model.served == []


def test_no_xi_gives_nothing() -> None:
    assert Upscaler.of_model(NumpyModel()).sweep(noise(4, 4, 3), []) == []


def test_a_model_of_one_image_cannot_be_remembered() -> None:
    model = NumpyModel()
    model.has_parts = False
    with pytest.raises(DataError, match="fused model"):
        Remembered(model)
