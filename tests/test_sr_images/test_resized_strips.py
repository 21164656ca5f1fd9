"""MATLAB's bicubic in strips and of alpha, against matrices that are written out here."""

import math
from typing import Any

import numpy as np
import pytest

from sr_images.bicubic import bicubic_downscale
from sr_images.enlarged_alpha import EnlargedAlpha
from sr_images.resized_strips import StripResizer, resized_strips
from sr_images.rounding import round_half_up


def dense(length: int, new: int, scale: float, edge: str = "mirror") -> np.ndarray:
    """The weights of MATLAB's imresize, sample by sample, from its documentation."""

    def kernel(x: float) -> float:
        x = abs(x)
        if x <= 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    squeeze, matrix = min(scale, 1.0), np.zeros((new, length))
    for row in range(new):
        centre = (row + 0.5) / scale - 0.5
        reach = math.ceil(2 / squeeze) + 1
        for position in range(math.floor(centre) - reach, math.floor(centre) + reach + 1):
            inside = min(max(position, 0), length - 1)
            if edge == "mirror":
                folded = position % (2 * length)
                inside = min(folded, 2 * length - 1 - folded)
            matrix[row, inside] += kernel((centre - position) * squeeze)
    return matrix / matrix.sum(axis=1, keepdims=True)


def in_strips(image: np.ndarray, height: int) -> list[np.ndarray]:
    return [image[top : top + height] for top in range(0, len(image), height)]


@pytest.mark.parametrize("strip", [1, 17, 200])
@pytest.mark.parametrize(
    ("resized", "factors"),
    [
        ((60, 33), None),
        ((173, 90), None),
        ((61, 90), None),
        ((65, 34), (0.375, 0.375)),  # as imresize(A, 0.375): ceil(64.875), ceil(33.75)
        ((1, 1), None),
        ((346, 200), None),
    ],
)
def test_equals_the_matrices_whatever_the_strips(resized: Any, factors: Any, strip: int) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (173, 90, 3)).astype(np.float32)
    scales = factors or (resized[0] / 173, resized[1] / 90)
    down, across = dense(173, resized[0], scales[0]), dense(90, resized[1], scales[1])
    expected = np.einsum("ah,bw,hwc->abc", down, across, image.astype(np.float64), optimize=True)
    resizer = StripResizer((173, 90), resized, factors)
    found = list(resized_strips(in_strips(image, strip), resizer))
    assert all(len(rows) for rows in found)
    result = np.concatenate(found)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=2e-5)


def test_with_rounding_in_between_it_is_the_reduction_of_8_bits() -> None:
    image = np.random.default_rng(0).integers(0, 2, (64, 48, 3), np.uint8) * np.uint8(255)
    between = lambda values: round_half_up(np.clip(values, 0, 255), np)  # noqa: E731
    resizer = StripResizer((64, 48), (16, 12), edge="replicate", between=between)
    parts = list(resized_strips(in_strips(image.astype(np.float32), 10), resizer))
    found = between(np.concatenate(parts).astype(np.float64))
    np.testing.assert_array_equal(found, bicubic_downscale(image, 4))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("factors", [(4.0, 4.0), (1.5, 1.5), (2.0, 7.7), (16.0, 1.0)])
def test_alpha(dtype: Any, factors: tuple[float, float]) -> None:
    white = 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max)
    alpha = np.random.default_rng(1).uniform(0, white, (20, 24)).astype(dtype)
    alpha[:, 12:] = 0
    alpha[:10] = white
    size = math.ceil(20 * factors[0]), math.ceil(24 * factors[1])
    enlarged = EnlargedAlpha(alpha, size, factors)
    found = np.concatenate(
        [enlarged.rows(i, min(i + 7, size[0]), dtype) for i in range(0, size[0], 7)]
    )
    down, across = dense(20, size[0], factors[0]), dense(24, size[1], factors[1])
    expected = np.clip(down @ alpha.astype(np.float64) @ across.T, 0, white)
    assert found.dtype == dtype and found.shape == size
    tolerance = 1e-6 if dtype == np.float32 else 0.5001
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    # where all that is near is opaque, or nothing is, so is the result
    reach = 3
    assert np.all(found[: math.floor((10 - reach) * factors[0])] == white)
    below = math.ceil((10 + reach) * factors[0])
    assert np.all(found[below:, math.ceil((12 + reach) * factors[1]) :] == 0)
