import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from srgan.losses.texture import BANDS, grid_loss, texture_loss

FLOOR = (0.3 / 127.5) ** 2


def pair(*shape: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(2)]


def loss(hr: np.ndarray, sr: np.ndarray, period: int = 4) -> float:
    return float(texture_loss(hr, sr, period))


def rho(x: np.ndarray) -> np.ndarray:
    return 2 * np.sqrt(1 + x**2) - 2


def by_hand(hr: np.ndarray, sr: np.ndarray, period: int) -> float:
    """Window by window and phase by phase, in double precision."""
    ratios: dict[tuple, list[float]] = {}
    evenness = []
    for image, photos in enumerate(zip(hr, sr, strict=True)):
        lumas = [x.astype(np.float64) @ [0.299, 0.587, 0.114] for x in photos]
        rows, columns = ((side - 8) // (4 * period) for side in lumas[0].shape)
        for phases in (period, period // 2):
            shares, means = [], []
            for band in range(7):
                kernel = BANDS[..., 0, band].astype(np.float64)
                h, s = (correlate2d(x, kernel, "valid") for x in lumas)
                for row, column in np.ndindex(rows, columns):
                    side = 4 * phases
                    window = np.s_[row * side :, column * side :]
                    h_w, s_w = (x[window][:side, :side] for x in (h, s))
                    whole = [np.log((x**2).mean() + FLOOR) for x in (h_w, s_w)]
                    ratios.setdefault((image, row, column), []).append(whole[1] - whole[0])
                    for top, left in np.ndindex(phases, phases):
                        h_p, s_p = (x[top::phases, left::phases] for x in (h_w, s_w))
                        energies = [(x**2).mean() + FLOOR for x in (h_p, s_p)]
                        uneven = [np.log(e) - w for e, w in zip(energies, whole, strict=True)]
                        shares.append(abs(uneven[1] - uneven[0]))
                        means.append(3 * rho((s_p.mean() - h_p.mean()) / np.sqrt(energies[0])))
            evenness.append(np.mean(shares) + np.mean(means))
            lumas = [x.reshape(len(x) // 2, 2, x.shape[1] // 2, 2).mean((1, 3)) for x in lumas]
    ratio = np.array(list(ratios.values()))
    balance = ratio - ratio.mean(axis=1, keepdims=True)
    # Each image has two levels; their terms are added, images are averaged.
    return rho(ratio).mean() + 2 * rho(balance).mean() + np.mean(evenness)


@pytest.mark.parametrize(("shape", "period"), [((2, 40, 56, 3), 4), ((1, 24, 20, 3), 2)])
def test_against_a_calculation_by_hand(shape, period):
    hr, sr = pair(*shape)
    assert loss(hr, sr, period) == pytest.approx(by_hand(hr, sr, period), rel=1e-5)


def test_bands_are_blind_to_levels_and_have_norm_1():
    np.testing.assert_allclose(BANDS.sum((0, 1)), 0, atol=1e-7)
    np.testing.assert_allclose(np.square(BANDS).sum((0, 1)), 1, rtol=1e-6)


def test_half_of_the_contrast():
    """Every energy is a quarter, which leaves balance and shares as they are."""
    rng = np.random.default_rng(1)
    hr = 0.5 * rng.choice([-1.0, 1.0], (1, 96, 96, 1)).astype(np.float32) * np.ones(3, "f")
    quarter = 2 * np.sqrt(1 + np.log(4) ** 2) - 2
    # What is left are the means of 16 signs, about 1/4, halved by the contrast: 3 · (1/8)².
    assert quarter < loss(hr, hr / 2) < quarter + 0.1
    assert loss(hr, hr) == 0
    assert loss(hr, hr + 0.25) == pytest.approx(0, abs=1e-4)


def test_texture_in_another_place_costs_less_than_none():
    hr, other = (0.1 * x for x in pair(2, 96, 96, 3))
    assert loss(hr, other) < 0.25 * loss(hr, np.zeros_like(hr))


def test_its_gradient_has_no_grid():
    hr, sr = (tf.constant(x) for x in pair(8, 96, 96, 3))
    with tf.GradientTape() as tape:
        tape.watch(sr)
        value = texture_loss(hr, 0.2 * sr, 4)
    gradient = np.abs(np.array(tape.gradient(value, sr)))[:, 16:64, 16:64]
    by_phase = gradient.reshape(8, 12, 4, 12, 4, 3).mean((0, 1, 3, 5))
    np.testing.assert_allclose(by_phase / by_phase.mean(), 1, atol=0.1)


def test_flat_images_have_a_finite_gradient():
    flat = tf.zeros((1, 32, 32, 3))
    with tf.GradientTape() as tape:
        tape.watch(flat)
        value = texture_loss(flat, flat + 0.0, 4)
    assert float(value) == 0 and np.isfinite(np.array(tape.gradient(value, flat))).all()


def grid_by_hand(hr: np.ndarray, sr: np.ndarray, period: int) -> float:
    """Band by band, window by window and phase by phase, in double precision."""
    found = []
    for photos in zip(hr, sr, strict=True):
        lumas = [x.astype(np.float64) @ [0.299, 0.587, 0.114] for x in photos]
        rows, columns = ((side - 8) // (8 * period) for side in lumas[0].shape)
        for phases in (period, period // 2):
            for band in range(7):
                kernel = BANDS[..., 0, band].astype(np.float64)
                h, s = (correlate2d(x, kernel, "valid") for x in lumas)
                side = 8 * phases
                for row, column in np.ndindex(rows, columns):
                    window = np.s_[row * side :, column * side :]
                    h_w, s_w = (x[window][:side, :side] for x in (h, s))
                    by_chance = np.sqrt((h_w**2).mean() + FLOOR) / 8
                    for top, left in np.ndindex(phases, phases):
                        apart = (s_w - h_w)[top::phases, left::phases].mean()
                        found.append((phases, rho(apart / by_chance)))
            lumas = [x.reshape(len(x) // 2, 2, x.shape[1] // 2, 2).mean((1, 3)) for x in lumas]
    scales = (period, period // 2)
    return float(np.mean([np.mean([x for scale, x in found if scale == p]) for p in scales]))


@pytest.mark.parametrize(("shape", "period"), [((2, 40, 72, 3), 4), ((1, 24, 40, 3), 2)])
def test_the_grid_against_a_calculation_by_hand(shape, period):
    hr, sr = pair(*shape)
    assert float(grid_loss(hr, sr, period)) == pytest.approx(grid_by_hand(hr, sr, period), rel=1e-5)


def test_a_grid_costs_more_than_noise_of_its_strength():
    rng = np.random.default_rng(2)
    hr = 0.2 * rng.standard_normal((1, 96, 96, 1)).astype(np.float32) * np.ones(3, "f")
    strength = 0.05
    noise = strength * rng.standard_normal((1, 96, 96, 1)).astype(np.float32)
    grid = strength * np.tile(rng.choice([-1, 1], (1, 4, 4, 1)), (1, 24, 24, 1)).astype(np.float32)
    assert float(grid_loss(hr, hr, 4)) == 0
    assert float(grid_loss(hr, hr + grid, 4)) > 10 * float(grid_loss(hr, hr + noise, 4))


def test_the_grids_gradient_points_at_the_grid_alone():
    rng = np.random.default_rng(3)
    hr = 0.2 * rng.standard_normal((4, 96, 96, 1)).astype(np.float32) * np.ones(3, "f")
    tile = 0.05 * rng.choice([-1, 1], (1, 4, 4, 1)).astype(np.float32)
    grid = np.tile(tile, (1, 24, 24, 1)) * np.ones(3, "f")
    sr = tf.constant(hr + grid)
    with tf.GradientTape() as tape:
        tape.watch(sr)
        value = grid_loss(hr, sr, 4)
    gradient = np.array(tape.gradient(value, sr))[:, 8:64, 8:64]
    # What is left of it once the mean of each phase is taken out.
    by_phase = gradient.reshape(4, 14, 4, 14, 4, 3)
    rest = by_phase - by_phase.mean((1, 3), keepdims=True)
    assert np.corrcoef(gradient.ravel(), grid[0, 8:64, 8:64].ravel().tolist() * 4)[0, 1] > 0.5
    assert rest.std() < 0.3 * gradient.std()


def test_flat_images_have_a_finite_gradient_of_the_grid():
    flat = tf.zeros((1, 48, 48, 3))
    with tf.GradientTape() as tape:
        tape.watch(flat)
        value = grid_loss(flat, flat + 0.0, 4)
    assert float(value) == 0 and np.isfinite(np.array(tape.gradient(value, flat))).all()
