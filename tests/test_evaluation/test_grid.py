import numpy as np
import pytest

from evaluation.metrics.grid import grid_energy, grid_ratio


def pattern(seed: int) -> np.ndarray:
    cell = np.random.default_rng(seed).normal(0, 3, (4, 4))
    return cell - cell.mean()


def test_a_pattern_alone_has_its_variance():
    cell = pattern(0)
    found = grid_energy(128 + np.tile(cell, (12, 20)))
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found, np.mean(cell**2), rtol=1e-9)
    # Wherever it begins.
    moved = np.roll(np.tile(cell, (12, 20)), (1, 3), (0, 1))
    np.testing.assert_allclose(grid_energy(moved), np.mean(cell**2), rtol=1e-9)


@pytest.mark.parametrize("period", [2, 4])
def test_lines_of_both_periods(period):
    rows = 5 * np.cos(2 * np.pi * np.arange(64) / period)
    expected = {2: 25.0, 4: 12.5}[period]
    np.testing.assert_allclose(grid_energy(np.tile(rows, (48, 1))), expected, rtol=1e-9)


def test_other_periods_and_a_slope_count_little():
    columns = np.arange(96)
    for period in (3, 8, 16):
        assert grid_energy(np.tile(5 * np.cos(2 * np.pi * columns / period), (96, 1))).max() < 0.05
    assert grid_energy(np.tile(2.0 * columns, (96, 1))).max() < 0.05
    assert grid_energy(np.full((40, 50), 77.0)).max() == 0


def test_white_noise_by_its_expectation():
    """15 points, each with σ² Σw⁴ / (Σw²)², where w is Hann's window: (1.5 / 32)² of σ²."""
    noise = np.random.default_rng(2).normal(0, 4, (700, 900))
    assert grid_energy(noise).mean() == pytest.approx(15 * 16 * (1.5 / 32) ** 2, rel=0.05)


def test_an_image_without_a_window():
    with pytest.raises(ValueError, match="32x32 pixels or more"):
        grid_energy(np.zeros((31, 400)))


def test_the_ratio_in_flat_and_in_textured_windows():
    rng = np.random.default_rng(3)
    # 7 x 7 windows, of which one column lies in the noise alone.
    hr = rng.normal(0, 1, (128, 128))
    hr[:, 64:] = rng.normal(0, 40, (128, 64))
    cell = np.tile(pattern(1), (32, 32))
    same = grid_ratio([hr, hr], [hr, hr])
    assert (same.flat, same.textured) == (1, 1)
    # A weak grid is much where nothing else is, and nothing in strong noise.
    found = grid_ratio([hr], [hr + cell])
    assert found.flat == pytest.approx(1 + np.mean(cell**2) / (15 * (1.5 / 32) ** 2), rel=0.1)
    assert found.textured == pytest.approx(1, abs=0.2)
    assert grid_ratio([np.zeros((40, 40))], [cell[:40, :40]]).flat == float("inf")
