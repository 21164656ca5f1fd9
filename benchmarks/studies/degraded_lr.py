"""LR images as the tables of compressed and noisy photos have them: the same at each call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sr_data.degradations.jpeg import through_jpeg
from sr_data.degradations.sensor_noise import pixel_noise
from sr_images.rounding import grey_levels

CLEAN = "clean"
_QUALITIES = {f"JPEG q{quality}": quality for quality in (75, 50, 30)}
_SIGMAS = {f"noise σ {sigma:g}": sigma for sigma in (5.0, 8.0)}

# Columns of the tables.
COLUMNS = (CLEAN, *_QUALITIES, *_SIGMAS)


def degraded_versions(lr: NDArray[np.uint8], number: int) -> dict[str, NDArray[np.uint8]]:
    """An LR image in all degradations.

    Args:
        lr: uint8 [H, W, 3].
        number: Of the image; the seed of its noise.

    Returns:
        Column → uint8 [H, W, 3]: unchanged, JPEG with 4:2:0, and with white noise.
    """
    return {column: degraded(lr, number, column) for column in COLUMNS}


def degraded(lr: NDArray[np.uint8], number: int, column: str) -> NDArray[np.uint8]:
    """An LR image in one of the degradations; see `degraded_versions`."""
    if column in _QUALITIES:
        return through_jpeg(lr, _QUALITIES[column], half_colour=True)
    if column in _SIGMAS:
        exact = lr.astype(np.float32)
        noise = pixel_noise(exact, 0.0, _SIGMAS[column], np.random.default_rng(number))
        return grey_levels(exact + noise, np).astype(np.uint8)
    return lr
