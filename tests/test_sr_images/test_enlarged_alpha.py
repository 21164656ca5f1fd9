"""Transparency of every depth: bicubic where it is soft, sharp where it is an outline."""

from typing import Any

import numpy as np
import pytest

from sr_images.enlarged_alpha import EnlargedAlpha
from sr_images.imresize import imresize
from sr_images.picture import WHITE


def enlarged(alpha: np.ndarray, factor: float, dtype: Any = np.uint8) -> np.ndarray:
    size = tuple(int(np.ceil(factor * side)) for side in alpha.shape)
    rows = EnlargedAlpha(alpha, (size[0], size[1]), (factor, factor))
    middle = size[0] // 3
    return np.concatenate([rows.rows(0, middle, dtype), rows.rows(middle, size[0], dtype)])


def radius(shape: tuple[int, int], centre: tuple[float, float]) -> np.ndarray:
    rows, columns = np.indices(shape)
    return np.hypot(rows - centre[0], columns - centre[1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("factor", [1.5, 2, 4])
def test_soft_transparency_is_bicubic(dtype: Any, factor: float) -> None:
    alpha = (np.random.default_rng(0).uniform(0, WHITE[np.dtype(dtype).name], (9, 13))).astype(
        dtype
    )
    expected = np.clip(imresize(alpha.astype(np.float64), scale=factor), 0, WHITE[alpha.dtype.name])
    found = enlarged(alpha, factor, dtype)
    assert found.dtype == dtype
    step = 1e-6 if dtype == np.float32 else 0.5001
    np.testing.assert_allclose(found.astype(np.float64), expected, rtol=0, atol=step)


def test_a_disc_keeps_its_edge() -> None:
    alpha = np.where(radius((48, 64), (24, 32)) < 15, 255, 0).astype(np.uint8)
    found, distance = enlarged(alpha, 4), radius((192, 256), (97.5, 129.5))
    assert found[distance > 62].max() == 0
    assert found[distance < 58].min() == 255
    assert len(np.unique(found)) > 10  # the edge is smooth, not a staircase
    assert abs(found.mean() - alpha.mean()) < 0.5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("factor", [1.5, 4, 16])
def test_a_straight_edge_is_one_pixel_wide_and_stays_where_it_is(dtype: Any, factor: float) -> None:
    white = WHITE[np.dtype(dtype).name]
    alpha = np.zeros((12, 16), dtype)
    alpha[:, 8:] = white
    found = enlarged(alpha, factor, dtype).astype(np.float64) / white
    between = (found > 0) & (found < 1)
    assert between.sum(axis=1).max() <= 2
    np.testing.assert_allclose(found.sum(axis=1), 8 * factor, atol=0.51)


def test_other_levels_make_no_outline() -> None:
    alpha = np.zeros((12, 16), np.uint8)
    alpha[:, 8:] = 128
    found = enlarged(alpha, 4)
    expected = np.clip(imresize(alpha.astype(np.float64), scale=4), 0, 255)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.5001)
