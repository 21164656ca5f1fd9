import numpy as np
import pytest

from sr_images.hidden_colours import without_hidden_colours


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_nearest_colour_that_is_seen(dtype: type) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 200, (9, 11, 3)).astype(dtype)
    alpha = (rng.uniform(size=(9, 11)) > 0.8).astype(dtype)
    found = without_hidden_colours(pixels, alpha)
    assert found.dtype == dtype and found.shape == pixels.shape
    seen = np.argwhere(alpha > 0)
    for row, column in np.ndindex(9, 11):
        squares = ((seen - (row, column)) ** 2).sum(axis=1)
        nearest = [tuple(pixels[r, c]) for r, c in seen[squares == squares.min()]]
        assert tuple(found[row, column]) in nearest


def test_nothing_or_everything_is_hidden() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    for alpha in (0, 1, 255):
        np.testing.assert_array_equal(
            without_hidden_colours(pixels, np.full((2, 2), alpha, np.uint8)), pixels
        )
