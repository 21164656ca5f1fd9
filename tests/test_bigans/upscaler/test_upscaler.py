import functools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigans import Tiling, Upscaler
from bigans.models import memory
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained.saved_models import SavedModels, Shipped
from bigans.upscaler.enlarging import Enlarging
from sr_images.image_io import read_rgb
from sr_program.errors import DataError, UsageError
from tests.test_fusion.formats.test_formats import require


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, shape, dtype=np.uint8)


def nearest(image: np.ndarray) -> np.ndarray:
    return np.kron(image, np.ones((4, 4, 1), np.uint8))


def test_one_image(generator: Path) -> None:
    image = noise(5, 7, 3)
    sr = Upscaler(generator)(image)
    assert sr.dtype == np.uint8
    np.testing.assert_array_equal(sr, nearest(image))


def test_a_batch(generator: Path) -> None:
    images = noise(2, 5, 7, 3)
    sr = Upscaler(generator)(images)
    np.testing.assert_array_equal(sr, [nearest(image) for image in images])


def test_an_image_that_is_not_contiguous(generator: Path) -> None:
    image = noise(10, 7, 3)[::2, ::-1]
    np.testing.assert_array_equal(Upscaler(generator)(image), nearest(image))


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
def test_a_generator_takes_neither(generator: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"no input {name}"):
        functools.partial(Upscaler(generator), **{name: 0.5})(noise(3, 4, 3))


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
        np.full((3, 4, 3), 1.001, np.float32),
        np.full((3, 4, 3), np.nan, np.float32),
        np.zeros((3, 4, 3), np.int64),
        np.zeros((3, 4, 3), np.float64),
        np.zeros((3,), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((3, 4, 2), np.uint8),
        np.zeros((1, 1, 3, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((0, 3, 4, 3), np.uint8),
        [[[0, 0, 0]]],
    ],
)
def test_bad_images(generator: Path, image: Any) -> None:
    with pytest.raises(ValueError, match="the image must be|pixels must lie"):
        Upscaler(generator)(image)


def tiles_of(num_pixels: int, **settings: Any) -> Tiling:
    """For tiles of at most so many pixels."""
    taken = memory.TENSORFLOW
    total = taken.program_bytes + (num_pixels + 0.5) * taken.bytes_per_lr_pixel
    return Tiling(memory_mb=total / 1e6, **settings)


SMALL = tiles_of(40 * 40, overlap=0)


@pytest.mark.parametrize("arguments", [{}, {"xi": 0.2}, {"xi": 1}, {"max_deviation": 2.5}])
def test_a_large_image(toy_fused: Path, arguments: dict[str, Any]) -> None:
    image = noise(107, 131, 3)
    tiled = Upscaler(toy_fused, tiling=SMALL)(image, **arguments)
    np.testing.assert_array_equal(tiled, Upscaler(toy_fused)(image, **arguments))


def test_large_images_with_one_xi_each(toy_fused: Path) -> None:
    images = noise(2, 70, 90, 3)
    tiled = Upscaler(toy_fused, tiling=SMALL)(images, xi=[0.2, 0.9])
    np.testing.assert_array_equal(tiled, Upscaler(toy_fused)(images, xi=[0.2, 0.9]))


def test_many_small_images_go_in_as_many_at_once_as_fit(
    fused: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, serve = [], TensorFlowModel.serve

    def counted(self: TensorFlowModel, images: np.ndarray, merge_inputs: Any) -> np.ndarray:
        sizes.append(len(images))
        return serve(self, images, merge_inputs)

    monkeypatch.setattr(TensorFlowModel, "serve", counted)
    images, xi = noise(7, 20, 30, 3), [step / 10 for step in range(7)]
    sr = Upscaler(fused, tiling=tiles_of(3 * 20 * 30))(images, xi=xi)
    assert sizes == [3, 3, 1]
    expected = [nearest(image) + 10 * step for step, image in enumerate(images)]
    np.testing.assert_array_equal(sr, expected)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
@pytest.mark.parametrize("tiling", [None, SMALL])
def test_to_a_file(toy_fused: Path, tmp_path: Path, name: str, tiling: Tiling | None) -> None:
    image = noise(67, 131, 3)
    Upscaler(toy_fused, tiling=tiling).to_file(image, tmp_path / name, enlarging=Enlarging(xi=0.4))
    expected = Upscaler(toy_fused)(image, xi=0.4)
    np.testing.assert_array_equal(read_rgb(tmp_path / name), expected)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_holds_one_image(generator: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be a single one, got a batch of 2"):
        Upscaler(generator).to_file(noise(2, 5, 7, 3), tmp_path / "a.png")
    with pytest.raises(ValueError, match="no input xi"):
        Upscaler(generator).to_file(noise(5, 7, 3), tmp_path / "a.png", enlarging=Enlarging(xi=0.3))


def test_what_fits(generator: Path) -> None:
    upscale = Upscaler(generator, tiling=SMALL)
    assert upscale.fits(noise(40, 40, 3))
    assert upscale.fits(noise(20, 80, 3))
    assert not upscale.fits(noise(80, 80, 3))


@pytest.mark.parametrize("method", ["generators", "deviations", "merge"])
def test_an_interrupted_file(
    toy_fused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    calls, run = [], getattr(TensorFlowModel, method)

    def interrupted(*arguments: Any) -> Any:
        calls.append(method)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return run(*arguments)

    monkeypatch.setattr(TensorFlowModel, method, interrupted)
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        Upscaler(toy_fused, tiling=SMALL).to_file(noise(107, 131, 3), tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_radius(generator: Path, toy_fused: Path) -> None:
    assert Upscaler(generator).radius == 0
    assert Upscaler(toy_fused).radius == 0  # measured: toys do not tell


def test_memory_for_no_tile(toy_fused: Path) -> None:
    upscale = Upscaler(toy_fused, tiling=tiles_of(50 * 50, overlap=12))
    assert upscale(noise(50, 50, 3)).shape == (200, 200, 3)
    with pytest.raises(UsageError, match="^memory_mb=.* is too little"):
        upscale(noise(100, 100, 3))


def test_the_directory_or_its_version(generator: Path) -> None:
    image = noise(2, 2, 3)
    for directory in (generator, generator / "1", str(generator)):
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


def test_a_damaged_model(generator: Path, tmp_path: Path) -> None:
    shutil.copytree(generator, tmp_path / "copy")
    (tmp_path / "copy" / "1" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(DataError, match="copy.*not a SavedModel that can be loaded"):
        Upscaler(tmp_path / "copy")


def test_the_shipped_models(
    generator: Path, fused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def saved_models(shipped: Shipped) -> SavedModels:
        asked.append((shipped.cache_dir, shipped.precision, shipped.pair))
        return SavedModels(faithful=generator, vivid=tmp_path, fused=fused)

    monkeypatch.setattr("bigans.pretrained.saved_models.saved_models", saved_models)
    for load in (Upscaler, Upscaler.from_pretrained, lambda: Upscaler("pretrained")):
        assert load().inputs == {"image", "xi", "max_deviation"}
    assert Upscaler("pretrained:faithful", cache_dir="cache").inputs == {"image"}
    assert Upscaler.from_pretrained("faithful", cache_dir="cache").inputs == {"image"}
    assert asked == [(None, "float32", "photo")] * 3 + [("cache", "float32", "photo")] * 2
    Upscaler(precision="bfloat16")
    assert asked[-1] == (None, "bfloat16", "photo")
    for load in (
        lambda: Upscaler("pretrained:clean"),
        lambda: Upscaler.from_pretrained(weights="clean"),
    ):
        load()
        assert asked[-1] == (None, "float32", "clean")
    for load in (lambda: Upscaler("pretrained:vivid"), lambda: Upscaler.from_pretrained("vivid")):
        with pytest.raises(DataError, match=str(tmp_path)):
            load()
    with pytest.raises(ValueError, match="choose one of fused, faithful, vivid"):
        Upscaler.from_pretrained(model="sharp")
    with pytest.raises(ValueError, match="weights is 'sharp'; choose one of photo, clean"):
        Upscaler.from_pretrained(weights="sharp")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("load", [Upscaler, Upscaler.from_pretrained])
def test_the_first_argument_alone_may_go_without_its_name(load: Any) -> None:
    with pytest.raises(TypeError, match="positional argument"):
        load("pretrained", "cache")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "bfloat16"}, "precision=bfloat16 has no effect: .* in TensorFlow"),
        ({"precision": "float32"}, "precision=float32 has no effect"),
        ({"cache_dir": "cache"}, "cache_dir has no effect"),
        ({"runtime": "onnx"}, "is a SavedModel, which ONNX Runtime cannot read"),
    ],
)
def test_what_has_no_effect_is_an_error(
    generator: Path, arguments: dict[str, Any], message: str
) -> None:
    if "runtime" in arguments:
        require("onnx")
    with pytest.raises(UsageError, match=message) as caught:
        Upscaler(generator, **arguments)
    assert "--" not in str(caught.value) and "\n" not in str(caught.value)


def free_memory(monkeypatch: pytest.MonkeyPatch, *megabytes: float) -> list[float]:
    """Each look at the free memory finds another number, the last of them ever after."""
    looks: list[float] = []

    def available() -> int:
        looks.append(megabytes[min(len(looks), len(megabytes) - 1)])
        return int(looks[-1] * 1e6)

    monkeypatch.setattr(memory, "available_bytes", available)
    return looks


# Of 80 % of what is free: 40x40 pixels, or 400x400.
LITTLE, MUCH = 40.5 * 40 * 0.017 / 0.8, 400 * 400 * 0.017 / 0.8


@pytest.mark.parametrize("free", [(LITTLE, MUCH), (MUCH, LITTLE)])
def test_one_decision_about_memory_a_batch(
    toy_fused: Path, monkeypatch: pytest.MonkeyPatch, free: tuple[float, float]
) -> None:
    images, upscale = noise(2, 70, 90, 3), Upscaler(toy_fused, tiling=Tiling(overlap=0))
    expected = Upscaler(toy_fused, tiling=Tiling(memory_mb=float("inf")))(images, xi=0.4)
    looks = free_memory(monkeypatch, *free)
    np.testing.assert_array_equal(upscale(images, xi=0.4), expected)
    assert looks == [free[0]]


@pytest.mark.parametrize("free", [(LITTLE, MUCH), (MUCH, LITTLE)])
def test_a_plan_that_is_handed_on_is_kept_to(
    toy_fused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: tuple[float, float]
) -> None:
    image, upscale = noise(70, 90, 3), Upscaler(toy_fused, tiling=Tiling(overlap=0))
    looks = free_memory(monkeypatch, *free)
    plan = upscale.plan(image)
    assert plan.is_whole == (free[0] == MUCH)
    first = upscale(image, plan=plan)
    upscale.to_file(image, tmp_path / "a.png", plan=plan)
    assert looks == [free[0]]
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), first)
    with pytest.raises(ValueError, match=r"the plan is for \(70, 90\)"):
        upscale(noise(90, 70, 3), plan=plan)


def test_no_limit(toy_fused: Path) -> None:
    upscale = Upscaler(toy_fused, tiling=Tiling(memory_mb=float("inf")))
    image = noise(107, 131, 3)
    assert upscale.fits(image)
    assert upscale(image).shape == (428, 524, 3)
