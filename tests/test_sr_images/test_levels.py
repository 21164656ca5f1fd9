from typing import Any

import numpy as np
import pytest

from sr_images.levels import check_range, from_levels, to_levels


@pytest.mark.parametrize(
    ("pixels", "levels"),
    [
        (np.array([0, 1, 255], np.uint8), [0, 1, 255]),
        (np.array([0, 1, 257, 65535], np.uint16), [0, 1 / 257, 1, 255]),
        (np.array([0, 0.5, 1], np.float32), [0, 127.5, 255]),
    ],
)
def test_levels_of_every_depth(pixels: Any, levels: list[float]) -> None:
    found = to_levels(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, levels, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_there_and_back(dtype: Any) -> None:
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = np.linspace(0, white, 70_000).astype(dtype)
    back = from_levels(to_levels(pixels), dtype)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, pixels, rtol=2e-7)
    if dtype != np.float32:
        np.testing.assert_array_equal(back, pixels)


def test_halves_are_rounded_up_at_the_depth_of_the_result() -> None:
    levels = np.array([-3, 0.5, 1.5, 1.49, 254.5, 260], np.float32)
    assert from_levels(levels, np.uint8).tolist() == [0, 1, 2, 1, 255, 255]
    steps = np.array([-1, 0.5, 1.5, 65534.5, 70000]) / 257  # of 16 bits, in grey levels
    assert from_levels(steps, np.uint16).tolist() == [0, 1, 2, 65535, 65535]
    np.testing.assert_allclose(from_levels(levels, np.float32)[[0, 1, 5]], [0, 0.5 / 255, 1])


@pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf])
def test_floats_beyond_white_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        check_range(np.array([[0.5, value]], np.float32))
    check_range(np.array([[0, 1]], np.float32))
    check_range(np.array([[65535]], np.uint16))
