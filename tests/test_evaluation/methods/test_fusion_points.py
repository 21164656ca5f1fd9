import numpy as np
import pytest

from evaluation.methods.fusion_points import FusionPoint, Mode
from fusion import numpy_merge


@pytest.fixture(scope="module")
def generators() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    faithful = random.integers(0, 255 * 8, (1, 8, 12, 3)) / np.float32(8)
    vivid = faithful + random.integers(-30 * 8, 30 * 8, faithful.shape) / np.float32(8)
    return faithful.astype(np.float32), np.clip(vivid, 0, 255).astype(np.float32)


def rounded(values: np.ndarray) -> np.ndarray:
    return np.floor(values + 0.5).astype(np.uint8)


def merged(generators, mode: Mode, value: float) -> np.ndarray:
    faithful, vivid = generators
    return FusionPoint("", mode, value).merge(faithful[0], vivid[0], fuse)


def fuse(faithful: np.ndarray, vivid: np.ndarray, xi: float, bound: float | None) -> np.ndarray:
    return numpy_merge.fuse(faithful, vivid, xi, -1.0 if bound is None else bound)


def soft(faithful: np.ndarray, vivid: np.ndarray, threshold: float) -> np.ndarray:
    """Eq. (9) and (10) of the paper as printed there, but for the sign of Δ."""
    delta = faithful.astype(np.float64) - vivid
    return vivid + np.sign(delta) * np.maximum(np.abs(delta) - threshold, 0)


@pytest.mark.parametrize("mode", ["quantile", "linear"])
def test_both_ends_are_the_generators(generators, mode: Mode) -> None:
    for value, generator in zip((0, 1), generators, strict=True):
        result = merged(generators, mode, value)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, rounded(generator[0]))


def test_a_threshold_in_grey_levels(generators) -> None:
    faithful, vivid = generators
    for level in (0, 1, 8, 255):
        expected = rounded(soft(faithful, vivid, level)[0])
        np.testing.assert_array_equal(merged(generators, "absolute", level), expected)


def test_a_quantile(generators) -> None:
    faithful, vivid = generators
    threshold = np.quantile(np.abs(faithful - vivid), 0.5)  # of multiples of 1/8: exact
    expected = rounded(soft(faithful, vivid, float(threshold))[0])
    np.testing.assert_array_equal(merged(generators, "quantile", 0.5), expected)
    assert (expected != rounded(faithful[0])).any() and (expected != rounded(vivid[0])).any()


def test_a_straight_line(generators) -> None:
    faithful, vivid = generators
    expected = rounded(0.75 * faithful[0] + 0.25 * vivid[0])
    np.testing.assert_array_equal(merged(generators, "linear", 0.25), expected)


@pytest.mark.parametrize(
    ("mode", "value", "faithful", "vivid", "expected"),
    [("quantile", 1, 10, 12.5, 13), ("absolute", 1, 10.5, 13, 12), ("linear", 0.5, 10, 13, 12)],
)
def test_halves_are_rounded_up(mode: Mode, value, faithful, vivid, expected) -> None:
    generators = (np.full((1, 1, 1, 3), level, np.float32) for level in (faithful, vivid))
    assert merged(generators, mode, value).tolist() == [[[expected] * 3]]
