"""LR images as the tables of compressed and noisy photos have them: the same at each call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sr_data.degradations.jpeg import through_jpeg
from sr_data.degradations.sensor_noise import pixel_noise
from sr_images.rounding import grey_levels

CLEAN = "clean"
QUALITIES = (75, 50, 30)
SIGMAS = (5.0, 8.0)

# Columns of the tables.
COLUMNS = (
    CLEAN,
    *(f"JPEG q{quality}" for quality in QUALITIES),
    *(f"noise σ {sigma:g}" for sigma in SIGMAS),
)


def degraded_versions(lr: NDArray[np.uint8], number: int) -> dict[str, NDArray[np.uint8]]:
    """An LR image in all degradations.

    Args:
        lr: uint8 [H, W, 3].
        number: Of the image; the seed of its noise.

    Returns:
        Column → uint8 [H, W, 3]: unchanged, JPEG with 4:2:0, and with white noise.
    """
    exact = lr.astype(np.float32)
    compressed = [through_jpeg(lr, quality, half_colour=True) for quality in QUALITIES]
    noises = [pixel_noise(exact, 0.0, sigma, np.random.default_rng(number)) for sigma in SIGMAS]
    noisy = [grey_levels(exact + noise, np).astype(np.uint8) for noise in noises]
    return dict(zip(COLUMNS, (lr, *compressed, *noisy), strict=True))
