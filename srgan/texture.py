"""L_texture: how much fine structure there is, and not where.

L_pixel and L_vgg compare place by place, so that a texture whose place cannot be known from the LR
image costs less if it is left out. L_texture compares the energies of small windows in five bands
of the luma at two scales, as logarithms, and asks for as much of each band as HR has there. It is
not in the paper; statistics of windows in place of positions are an idea of Sajjadi et al., arXiv
1612.07919, Section 4.2.3, who take those of VGG features.

A pixel shuffle could supply all energy by a grid of `period` pixels. So a window's energies and
means are taken of each of its period² phases by themselves, and have to be right in each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

# ITU-R BT.601.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 1, 3, 1)

# Second differences across, down and mixed; first differences across and down. Each sums to 0.
_BANDS = (
    np.stack(
        [
            [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
            [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
            [[1, -1, 0], [-1, 1, 0], [0, 0, 0]],
            [[0, 0, 0], [-1, 1, 0], [0, 0, 0]],
            [[0, -1, 0], [0, 1, 0], [0, 0, 0]],
        ],
        axis=-1,
    )
    .astype(np.float32)
    .reshape(3, 3, 1, 5)
)
BANDS = _BANDS / np.sqrt(np.square(_BANDS).sum((0, 1), keepdims=True))

# Pixels of each phase along a window's side.
_SAMPLES = 4

# The energy of half a grey level: what is less is as good as nothing.
_FLOOR = (0.5 / 127.5) ** 2


def texture_loss(hr: Any, sr: Any, period: int) -> Any:
    """The mean distance of log energies, and of means in units of HR's amplitude, of all windows.

    Args:
        hr: [B, H, W, 3] in [-1, 1]; sides known, at least 4·period + 2.
        sr: The same shape.
        period: A power of 2 from 2 on: the scale of the pixel shuffle.

    Returns:
        A float32 scalar: 1 where each energy is e times too large or too small.
    """
    pair = [ops.conv(ops.cast(x, "float32"), _LUMA, data_format="channels_last") for x in (hr, sr)]
    total = 0.0
    for phases in (period, period // 2):
        (hr_energy, hr_mean), (sr_energy, sr_mean) = (_statistics(x, phases) for x in pair)
        amplitude = ops.sqrt(hr_energy + _FLOOR)
        ratio = ops.log((sr_energy + _FLOOR) / (hr_energy + _FLOOR))
        total += ops.mean(ops.abs(ratio)) + ops.mean(ops.abs(sr_mean - hr_mean) / amplitude)
        pair = [ops.average_pool(x, 2, 2, data_format="channels_last") for x in pair]
    return total / 2


def _statistics(luma: Any, phases: int) -> tuple[Any, Any]:
    """Mean square and mean of each band, window and phase; [B, n, p, m, p, bands] each."""
    bands = ops.conv(luma, BANDS, padding="valid", data_format="channels_last")
    window = _SAMPLES * phases
    down, across = (bands.shape[axis] // window for axis in (1, 2))
    bands = bands[:, : down * window, : across * window]
    count = bands.shape[-1]
    parts = ops.reshape(bands, (-1, down, _SAMPLES, phases, across, _SAMPLES, phases, count))
    return ops.mean(ops.square(parts), axis=(2, 5)), ops.mean(parts, axis=(2, 5))
