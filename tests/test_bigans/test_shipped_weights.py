"""The networks that come with the program: what tiles change, counted."""

from pathlib import Path

import numpy as np
import pytest

from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained.saved_models import saved_models
from bigans.upscaler.tiles.tile_plan import TilePlan, plan_tiles
from bigans.upscaler.tiles.tiled import strips
from bigans.upscaler.tiles.tiling import DEFAULT_OVERLAP

HEIGHT, WIDTH = 217, 221

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> TensorFlowModel:
    return TensorFlowModel(saved_models().fused)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """An eye, whiskers and fur."""
    from skimage import data

    return data.chelsea()[40 : 40 + HEIGHT, 80 : 80 + WIDTH]


@pytest.fixture(scope="module")
def generators(model: TensorFlowModel, photo: np.ndarray) -> np.ndarray:
    return np.stack(model.generators(photo))


def plan_of(overlap: int) -> TilePlan:
    plan = plan_tiles(HEIGHT, WIDTH, (40 + 2 * overlap) ** 2, overlap)
    assert plan is not None and len(plan) >= 9
    return plan


def generators_in_tiles(model: TensorFlowModel, photo: np.ndarray, plan: TilePlan) -> np.ndarray:
    result = np.full((2, 4 * HEIGHT, 4 * WIDTH, 3), np.nan, np.float32)
    for rows, columns in plan.tiles():
        part = photo[rows.read : rows.read_end, columns.read : columns.read_end]
        large = np.stack(model.generators(part))
        top, left = 4 * (rows.write - rows.read), 4 * (columns.write - columns.read)
        height, width = (4 * (span.write_end - span.write) for span in (rows, columns))
        inner = large[:, top : top + height, left : left + width]
        result[:, 4 * rows.write :, 4 * columns.write :][:, :height, :width] = inner
    return result


def test_exact_before_rounding(
    model: TensorFlowModel, photo: np.ndarray, generators: np.ndarray
) -> None:
    assert model.radius == 60
    tiled = generators_in_tiles(model, photo, plan_of(overlap=60))
    np.testing.assert_allclose(tiled, generators, rtol=0, atol=1e-5 * 255)


@pytest.mark.parametrize(("xi", "max_deviation"), [(0.73, -1.0), (0.73, 4.5)])
def test_one_grey_level_at_the_default_overlap(
    model: TensorFlowModel, photo: np.ndarray, tmp_path: Path, xi: float, max_deviation: float
) -> None:
    inputs = {"xi": np.array(xi, "f4"), "max_deviation": np.array(max_deviation, "f4")}
    whole = model.serve(photo[None], inputs)[0].astype(int)
    tiled = np.concatenate(list(strips(model, photo, inputs, plan_of(DEFAULT_OVERLAP), tmp_path)))
    difference = np.abs(tiled - whole)
    assert difference.max() <= 1
    # 0.13 % on noise-free photos; a threshold of each tile's own would change nearly all.
    assert (difference > 0).any(axis=-1).mean() < 0.005
