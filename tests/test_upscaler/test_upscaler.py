import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.errors import DataError
from pretrained.saved_models import SavedModels
from upscaler import Upscaler, upscaler


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, shape, dtype=np.uint8)


def nearest(image: np.ndarray) -> np.ndarray:
    return np.kron(image, np.ones((4, 4, 1), np.uint8))


def test_one_image(tower: Path) -> None:
    image = noise(5, 7, 3)
    sr = Upscaler(tower)(image)
    assert sr.dtype == np.uint8
    np.testing.assert_array_equal(sr, nearest(image))


def test_a_batch(tower: Path) -> None:
    images = noise(2, 5, 7, 3)
    sr = Upscaler(tower)(images)
    np.testing.assert_array_equal(sr, [nearest(image) for image in images])


def test_an_image_that_is_not_contiguous(tower: Path) -> None:
    image = noise(10, 7, 3)[::2, ::-1]
    np.testing.assert_array_equal(Upscaler(tower)(image), nearest(image))


@pytest.mark.parametrize(
    ("arguments", "step"),
    [
        ({}, 73),
        ({"xi": 0}, 0),
        ({"xi": 0.25}, 25),
        ({"xi": 1.0}, 100),
        ({"max_deviation": 8}, 8),
        ({"max_deviation": 0.0}, 0),
        ({"max_deviation": 8, "xi": 0.5}, 8),
    ],
)
def test_xi_and_max_deviation(fused: Path, arguments: dict[str, Any], step: int) -> None:
    image = noise(3, 4, 3)
    np.testing.assert_array_equal(Upscaler(fused)(image, **arguments), nearest(image) + step)


def test_one_xi_an_image(fused: Path) -> None:
    images = np.zeros((3, 2, 2, 3), np.uint8)
    sr = Upscaler(fused)(images, xi=[0, 0.5, 1])
    assert [set(one.flat) for one in sr] == [{0}, {50}, {100}]


@pytest.mark.parametrize("name", ["xi", "max_deviation"])
def test_a_tower_takes_neither(tower: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"no input {name}"):
        Upscaler(tower)(noise(3, 4, 3), **{name: 0.5})


def test_a_fused_model_without_bound(fused_without_bound: Path) -> None:
    image, model = noise(3, 4, 3), Upscaler(fused_without_bound)
    np.testing.assert_array_equal(model(image, xi=1), nearest(image) + 1)
    with pytest.raises(ValueError, match="no input max_deviation"):
        model(image, max_deviation=3)


@pytest.mark.parametrize(
    "arguments",
    [
        {"xi": -0.01},
        {"xi": 1.01},
        {"xi": float("nan")},
        {"xi": [0.5, 0.5]},
        {"max_deviation": -1},
        {"max_deviation": float("nan")},
        {"max_deviation": [[1.0]]},
    ],
)
def test_bad_numbers(fused: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Upscaler(fused)(noise(3, 4, 3), **arguments)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((3, 4, 3), np.float32),
        np.zeros((3, 4, 3), np.int64),
        np.zeros((3, 4), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((1, 1, 3, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((0, 3, 4, 3), np.uint8),
        [[[0, 0, 0]]],
    ],
)
def test_bad_images(tower: Path, image: Any) -> None:
    with pytest.raises(ValueError, match="the image must be"):
        Upscaler(tower)(image)


def test_the_directory_or_its_version(tower: Path) -> None:
    image = noise(2, 2, 3)
    for directory in (tower, tower / "1", str(tower)):
        np.testing.assert_array_equal(Upscaler(directory)(image), nearest(image))


@pytest.mark.parametrize(
    "name", ["other signature", "other input", "float input", "other output", "float output"]
)
def test_a_model_of_something_else(not_upscalers: dict[str, Path], name: str) -> None:
    directory = not_upscalers[name]
    with pytest.raises(DataError, match=f"{directory}.*has no signature 'serving_default'"):
        Upscaler(directory)


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        Upscaler(tmp_path / "missing")
    with pytest.raises(DataError, match=str(tmp_path)):
        Upscaler(tmp_path)


def test_a_damaged_model(tower: Path, tmp_path: Path) -> None:
    shutil.copytree(tower, tmp_path / "copy")
    (tmp_path / "copy" / "1" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(DataError, match="copy.*not a SavedModel that can be loaded"):
        Upscaler(tmp_path / "copy")


def test_the_shipped_models(
    tower: Path, fused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def saved_models(cache_dir: object) -> SavedModels:
        asked.append(cache_dir)
        return SavedModels(faithful=tower, vivid=tmp_path, fused=fused)

    monkeypatch.setattr(upscaler, "saved_models", saved_models)
    assert Upscaler.from_pretrained().inputs == {"image", "xi", "max_deviation"}
    assert Upscaler.from_pretrained("cache", model="faithful").inputs == {"image"}
    assert asked == [None, "cache"]
    with pytest.raises(DataError, match=str(tmp_path)):
        Upscaler.from_pretrained(model="vivid")
    with pytest.raises(ValueError, match="choose one of faithful, vivid, fused"):
        Upscaler.from_pretrained(model="sharp")
