import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from srgan.texture import BANDS, texture_loss

FLOOR = (0.5 / 127.5) ** 2


def pair(*shape: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(2)]


def loss(hr: np.ndarray, sr: np.ndarray, period: int = 4) -> float:
    return float(texture_loss(hr, sr, period))


def by_hand(hr: np.ndarray, sr: np.ndarray, period: int) -> float:
    """Pixel by pixel, in double precision."""
    lumas = [x.astype(np.float64) @ [0.299, 0.587, 0.114] for x in (hr, sr)]
    levels = []
    for phases in (period, period // 2):
        ratios, means = [], []
        for first, second in zip(*lumas, strict=True):
            for band in range(5):
                kernel = BANDS[..., 0, band].astype(np.float64)
                h, s = (correlate2d(x, kernel, "valid") for x in (first, second))
                window = 4 * phases
                for top in range(0, len(h) - window + 1, window):
                    for left in range(0, len(h[0]) - window + 1, window):
                        for phase in np.ndindex(phases, phases):
                            place = tuple(
                                slice(start + p, start + window, phases)
                                for start, p in zip((top, left), phase, strict=True)
                            )
                            energy = (h[place] ** 2).mean() + FLOOR
                            ratios.append(np.log(((s[place] ** 2).mean() + FLOOR) / energy))
                            means.append((s[place].mean() - h[place].mean()) / np.sqrt(energy))
        levels.append(np.abs(ratios).mean() + np.abs(means).mean())
        lumas = [
            x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).mean((2, 4)) for x in lumas
        ]
    return sum(levels) / 2


@pytest.mark.parametrize(("shape", "period"), [((2, 40, 56, 3), 4), ((1, 24, 20, 3), 2)])
def test_against_a_calculation_by_hand(shape, period):
    hr, sr = pair(*shape)
    assert loss(hr, sr, period) == pytest.approx(by_hand(hr, sr, period), rel=1e-5)


def test_bands_are_blind_to_levels_and_have_norm_1():
    np.testing.assert_allclose(BANDS.sum((0, 1)), 0, atol=1e-7)
    np.testing.assert_allclose(np.square(BANDS).sum((0, 1)), 1, rtol=1e-6)


def test_half_of_the_contrast():
    """Energies are a quarter: log 4, and nothing else where the means are 0."""
    rng = np.random.default_rng(1)
    hr = 0.3 * rng.choice([-1.0, 1.0], (1, 96, 96, 1)).astype(np.float32) * np.ones(3, "f")
    low, high = np.log(4), np.log(4) + 0.5
    assert low * 0.99 < loss(hr, hr / 2) < high
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
