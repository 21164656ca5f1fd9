"""An image in tiles is the image as a whole: exactly, or as exactly as float32 sums allow."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.upscaler.tiles.tile_plan import TilePlan, plan_tiles
from bigans.upscaler.tiles.tiled import strips
from fusion.exporting import build
from sr_program.errors import DataError
from srgan.runs.saved_model import export_generator

HEIGHT, WIDTH = 131, 157

# As for SavedModels: 1e-5 of the range, in grey levels.
TOLERANCE = 1e-5 * 255


def photo(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Gradients, edges and noise."""
    rng = np.random.default_rng(4)
    rows, columns = np.mgrid[:height, :width]
    edges = 90 * ((rows // 13 + columns // 17) % 2)
    image = np.stack([rows, columns, rows + columns], axis=-1) * 0.5 + edges[..., None]
    return np.clip(image + rng.normal(0, 9, image.shape), 0, 255).astype(np.uint8)


def plan_of(overlap: int, height: int = HEIGHT, width: int = WIDTH) -> TilePlan:
    plan = plan_tiles(height, width, (40 + 2 * overlap) ** 2, overlap)
    assert plan is not None and len(plan) >= 9
    return plan


def inputs(xi: float, max_deviation: float = -1.0) -> dict[str, np.ndarray]:
    values = {"xi": xi, "max_deviation": max_deviation}
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


def in_tiles(
    model: TensorFlowModel, image: np.ndarray, merge_inputs: dict, plan: TilePlan, folder: Path
) -> np.ndarray:
    parts = list(strips(model, image, merge_inputs, plan, folder))
    assert len(parts) == len(plan.rows)
    assert os.listdir(folder) == []
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def small_networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Both generators with few features, and an output that is more than the interpolation."""
    keras.utils.set_random_seed(1)
    mr = mr_srgan.config.GeneratorConfig(
        num_mr_blocks=1, num_res_blocks=2, features=4, bicubic_skip=True
    )
    wp = wp_srgan.config.GeneratorConfig(num_res_blocks=2, features=4, bicubic_skip=True)
    directories = []
    for name, generator in (
        ("mr", mr_srgan.generator.build_generator(mr)),
        ("wp", wp_srgan.generator.build_generator(wp)),
    ):
        kernel = generator.get_layer("output").kernel
        kernel.assign(np.random.default_rng(2).normal(0, 0.1, kernel.shape))
        directories.append(export_generator(generator, tmp_path_factory.mktemp(name)))
    return directories[0], directories[1]


@pytest.fixture(scope="module")
def networks(
    small_networks: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> TensorFlowModel:
    return TensorFlowModel(build(*small_networks, tmp_path_factory.mktemp("fused")))


@pytest.mark.parametrize("threshold", ["joint", "per_channel", "luma"])
@pytest.mark.parametrize("delta", ["as_read", "as_printed"])
def test_every_mode_is_exact(
    toy_generators: tuple[Path, Path], tmp_path: Path, threshold: str, delta: str
) -> None:
    modes = {"threshold": threshold, "delta": delta}
    model = TensorFlowModel(build(*toy_generators, tmp_path / "model", **modes))  # pyright: ignore
    image, scratch = photo(), tmp_path / "scratch"
    scratch.mkdir()
    for xi in (0.0, 0.2, 0.73, 1.0):
        merge_inputs = {k: v for k, v in inputs(xi).items() if k in model.inputs}
        whole = model.serve(image[None], merge_inputs)[0]
        tiled = in_tiles(model, image, merge_inputs, plan_of(overlap=5), scratch)
        np.testing.assert_array_equal(tiled, whole)


@pytest.mark.parametrize("threshold", ["joint", "per_channel", "luma"])
def test_bands_and_memory_change_nothing(
    toy_generators: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threshold: str,
) -> None:
    model = TensorFlowModel(build(*toy_generators, tmp_path / "model", threshold=threshold))  # pyright: ignore
    image, plan = photo(), plan_of(overlap=5)
    merge_inputs = {k: v for k, v in inputs(0.73).items() if k in model.inputs}
    whole = model.serve(image[None], merge_inputs)[0]
    monkeypatch.setattr("bigans.upscaler.tiles.tiled._BAND", 1000)  # some rows of a tile
    needed, folder = 24 * whole[..., 0].size, tmp_path / "scratch"
    in_memory = list(strips(model, image, merge_inputs, plan, folder, needed))
    np.testing.assert_array_equal(np.concatenate(in_memory), whole)
    with pytest.raises(DataError, match="no scratch file"):
        next(strips(model, image, merge_inputs, plan, folder, needed - 1))
    folder.mkdir()
    np.testing.assert_array_equal(in_tiles(model, image, merge_inputs, plan, folder), whole)


def test_the_threshold_is_that_of_the_whole_image(toy_fused: Path, tmp_path: Path) -> None:
    # Tiles of which some hardly change: their own quantiles are others.
    image = photo()
    image[:, : WIDTH // 2] //= 16
    model, plan = TensorFlowModel(toy_fused), plan_of(overlap=0)
    whole = model.serve(image[None], inputs(0.73))[0]
    tile = next(plan.tiles())
    alone = model.serve(image[None, : tile.rows.read_end, : tile.columns.read_end], inputs(0.73))[0]
    assert np.any(alone != whole[: len(alone), : alone.shape[1]])
    np.testing.assert_array_equal(in_tiles(model, image, inputs(0.73), plan, tmp_path), whole)


def test_generators_before_rounding(networks: TensorFlowModel) -> None:
    assert networks.radius == 12
    image, plan = photo(), plan_of(overlap=12)
    whole = np.stack(networks.generators(image))
    assert np.abs(whole[0] - whole[1]).mean() > 1
    tiled = np.full(whole.shape, np.nan, np.float32)
    for rows, columns in plan.tiles():
        part = np.stack(
            networks.generators(image[rows.read : rows.read_end, columns.read : columns.read_end])
        )
        inner = part[
            :,
            4 * (rows.write - rows.read) : 4 * (rows.write_end - rows.read),
            4 * (columns.write - columns.read) : 4 * (columns.write_end - columns.read),
        ]
        tiled[
            :,
            4 * rows.write : 4 * rows.write_end,
            4 * columns.write : 4 * columns.write_end,
        ] = inner
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("xi", "max_deviation"), [(0.0, -1), (0.4, -1), (0.73, -1), (1.0, -1), (0.73, 3.5)]
)
def test_networks(
    networks: TensorFlowModel, tmp_path: Path, xi: float, max_deviation: float
) -> None:
    image, merge_inputs = photo(), inputs(xi, max_deviation)
    whole = networks.serve(image[None], merge_inputs)[0].astype(int)
    tiled = in_tiles(networks, image, merge_inputs, plan_of(overlap=12), tmp_path)
    difference = np.abs(tiled - whole)
    # A value within 2 · 0.00255 grey levels of a half may be rounded to the other side.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01
    without = in_tiles(networks, image, merge_inputs, plan_of(overlap=0), tmp_path)
    assert np.abs(without - whole).max() > 1


def test_a_generator(small_networks: tuple[Path, Path], tmp_path: Path) -> None:
    for directory, reach in zip(small_networks, (8, 12), strict=True):
        model, image = TensorFlowModel(directory), photo()
        assert model.radius == reach
        whole = model.serve(image[None], {})[0].astype(int)
        tiled = in_tiles(model, image, {}, plan_of(reach), tmp_path)
        assert np.abs(tiled - whole).max() <= 1
        assert (tiled != whole).mean() < 0.005


def test_a_model_without_the_parts(fused: Path, tmp_path: Path) -> None:
    model, image = TensorFlowModel(fused), photo() // 4
    with pytest.raises(DataError, match=f"{fused}.*generators, deviations, merge.*more memory_mb"):
        in_tiles(model, image, inputs(0.5), plan_of(0), tmp_path)
    # They are not needed where a tile has all that it takes.
    tiled = in_tiles(model, image, inputs(0.5, 8), plan_of(0), tmp_path)
    np.testing.assert_array_equal(tiled, model.serve(image[None], inputs(0.5, 8))[0])


def test_stopping_half_way_leaves_no_file(toy_fused: Path, tmp_path: Path) -> None:
    pieces = strips(TensorFlowModel(toy_fused), photo(), inputs(0.5), plan_of(0), tmp_path)
    with contextlib.closing(pieces):
        next(pieces)
        opened = _scratch_files(tmp_path)
        assert opened is None or len(opened) == 1
    assert not _scratch_files(tmp_path)


def _scratch_files(folder: Path) -> list[str] | None:
    """The files without a name that this process has open in a folder, where Linux tells."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        return None
    return [target for target in _links(descriptors) if target.startswith(f"{folder}/")]


def _links(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            yield os.readlink(path)
