from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics.ma_parts.divisive_normalization import normalized_bands, normalized_scale
from evaluation.metrics.ma_parts.steerable_pyramid import SteerablePyramid, steerable_pyramid
from sr_images.imresize import imresize


@pytest.fixture(scope="module")
def debug_crop(shared: Path):
    path = shared / "reference" / "metrics" / "ma_debug_crop.npz"
    if not path.is_file():
        pytest.skip(f"needs the reference numbers of the metrics, {path}")
    return np.load(path)


def bands_of(height, width, count=6, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(0, 10, (height, width)) for _ in range(count)]


def plainly_normalized(bands, orientation, parent, guard):
    """The definition: one matrix with a row a coefficient, NumPy's pseudo-inverse."""
    height, width = bands[0].shape
    columns = []
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            shifted = bands[orientation][down : height - 2 + down, right : width - 2 + right]
            columns.append(shifted.ravel())
    if parent is not None:
        columns.append(parent[1:-1, 1:-1].ravel())
    size = len(columns)
    columns += [b[1:-1, 1:-1].ravel() for i, b in enumerate(bands) if i != orientation]
    matrix = np.stack(columns, axis=1)
    moments = matrix.T @ matrix / len(matrix)
    z = np.sqrt(np.sum(matrix @ np.linalg.pinv(moments) * matrix, axis=1) / size)
    centres = columns[4]
    normalized = ((centres - centres.mean()) / z).reshape(height - 2, width - 2)
    normalized = normalized[guard:-guard, guard:-guard]
    return normalized - normalized.mean()


def test_agrees_with_the_definition():
    bands, parents = bands_of(31, 40), bands_of(31, 40, 5, seed=1)
    actual = normalized_scale(bands, parents, 3)
    for orientation, parent in enumerate([*parents, None]):
        expected = plainly_normalized(bands, orientation, parent, 3)
        np.testing.assert_allclose(actual[orientation], expected, rtol=0, atol=1e-11)
    actual = normalized_scale(bands, [], 8)
    for orientation in range(6):
        expected = plainly_normalized(bands, orientation, None, 8)
        np.testing.assert_allclose(actual[orientation], expected, rtol=0, atol=1e-11)


def test_chunks_of_rows_do_not_show():
    # rows so long that a chunk holds one or a few of them
    for width in (1200, 3500):
        bands = bands_of(9, width)
        expected = plainly_normalized(bands, 2, None, 1)
        np.testing.assert_allclose(normalized_scale(bands, [], 1)[2], expected, atol=1e-10)


def test_bands_that_depend_on_each_other():
    # the inverse does not exist: directions without variance are left out
    bands = bands_of(30, 30)
    bands[3] = bands[0] + bands[1]
    actual = normalized_scale(bands, [], 2)
    for orientation in range(6):
        expected = plainly_normalized(bands, orientation, None, 2)
        np.testing.assert_allclose(actual[orientation], expected, rtol=0, atol=1e-8)


def test_local_strength_is_divided_out():
    bands = bands_of(60, 120)
    for band in bands:
        band[:, 60:] *= 30
    for band in normalized_scale(bands, [], 2):
        faint, strong = band[:, :50].std(), band[:, -50:].std()
        assert strong / faint == pytest.approx(1, abs=0.15)


def test_the_last_orientation_has_no_parent():
    fine, coarse = bands_of(46, 51), bands_of(23, 26, seed=1)
    unused = np.zeros((12, 13))
    actual, _ = normalized_bands(SteerablePyramid(fine[0], fine, coarse, unused))
    for orientation, band in enumerate(actual):
        parent = imresize(coarse[orientation], scale=2)[:46, :51]
        expected = plainly_normalized(fine, orientation, parent if orientation < 5 else None, 16)
        assert band.shape == (12, 17)
        np.testing.assert_allclose(band, expected, rtol=0, atol=1e-10)


def test_agrees_with_the_official_code(debug_crop):
    pyramid = steerable_pyramid(debug_crop["crop"].astype(np.float64))
    enlarged = imresize(pyramid.coarse[0], scale=2)[:97, :103]
    np.testing.assert_allclose(enlarged, debug_crop["parent_up"], rtol=0, atol=1e-11)
    fine, coarse = normalized_bands(pyramid)
    for number, band in enumerate([*fine, *coarse], start=1):
        np.testing.assert_allclose(
            band, debug_crop[f"sub_{number:02d}"], rtol=0, atol=1e-9, err_msg=str(number)
        )


def test_nothing_to_divide_by():
    bands = bands_of(30, 30)
    for band in bands:
        band[10:16, 10:16] = 0
    with pytest.raises(ValueError, match="a band of its steerable pyramid is empty"):
        normalized_scale(bands, [], 2)
    with pytest.raises(ValueError, match="empty"):
        normalized_scale([np.zeros((30, 30))] * 6, [], 2)
