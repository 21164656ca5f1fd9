import numpy as np
import pytest
import tensorflow as tf

from evaluation.fusion_points import MODES, FusionPoint, Mode


@pytest.fixture(scope="module")
def towers() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    faithful = random.integers(0, 255 * 8, (1, 8, 12, 3)) / np.float32(8)
    vivid = faithful + random.integers(-30 * 8, 30 * 8, faithful.shape) / np.float32(8)
    return faithful.astype(np.float32), np.clip(vivid, 0, 255).astype(np.float32)


def rounded(values: np.ndarray) -> np.ndarray:
    return np.floor(values + 0.5).astype(np.uint8)


def merged(towers, mode: Mode, value: float) -> np.ndarray:
    return FusionPoint("", mode, value).merge(*map(tf.constant, towers))


def soft(faithful: np.ndarray, vivid: np.ndarray, threshold: float) -> np.ndarray:
    """Eq. (9) and (10) of the paper as printed there, but for the sign of Δ."""
    delta = faithful.astype(np.float64) - vivid
    return vivid + np.sign(delta) * np.maximum(np.abs(delta) - threshold, 0)


@pytest.mark.parametrize("mode", ["quantile", "linear"])
def test_both_ends_are_the_towers(towers, mode: Mode) -> None:
    for value, tower in zip((0, 1), towers, strict=True):
        result = merged(towers, mode, value)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, rounded(tower[0]))


def test_a_threshold_in_grey_levels(towers) -> None:
    for level in (0, 1, 8, 255):
        expected = rounded(soft(*towers, level)[0])
        np.testing.assert_array_equal(merged(towers, "absolute", level), expected)


def test_a_quantile(towers) -> None:
    faithful, vivid = towers
    threshold = np.quantile(np.abs(faithful - vivid), 0.5)  # of multiples of 1/8: exact
    expected = rounded(soft(faithful, vivid, float(threshold))[0])
    np.testing.assert_array_equal(merged(towers, "quantile", 0.5), expected)
    assert (expected != rounded(faithful[0])).any() and (expected != rounded(vivid[0])).any()


def test_a_straight_line(towers) -> None:
    faithful, vivid = towers
    expected = rounded(0.75 * faithful[0] + 0.25 * vivid[0])
    np.testing.assert_array_equal(merged(towers, "linear", 0.25), expected)


def test_halves_are_rounded_up() -> None:
    faithful, vivid = np.full((1, 1, 1, 3), 10, np.float32), np.full((1, 1, 1, 3), 13, np.float32)
    for mode in MODES:  # 0.5 of one |Δ| is that |Δ|
        result = merged((faithful, vivid), mode, 0.5)
        assert result.tolist() == [[[{"quantile": 13, "absolute": 11, "linear": 12}[mode]] * 3]]
